"""Reads a configuration as the program does that it is for, and prints it as JSON.

Usage: read_config.py yaml|toml FILE
"""

import json
import sys
import tomllib

import yaml

form, name = sys.argv[1:]
with open(name, "rb") as file:
    print(json.dumps({"yaml": yaml.safe_load, "toml": tomllib.load}[form](file)))
