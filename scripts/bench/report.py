"""Writes the figures between the marks of docs/benchmarks.md. What is around them is written by people."""

from pathlib import Path

DOCUMENT = Path("docs/benchmarks.md")
BEGIN = "<!-- figures: written by `make bench` -->\n"
END = "<!-- end of figures -->\n"


def write(results: dict) -> None:
    """Puts what was measured into its sections. What was not measured this time stays as it is in the document."""
    before, rest = DOCUMENT.read_text().split(BEGIN)
    figures, after = rest.split(END)
    sections = split(figures)
    for name, section in SECTIONS.items():
        if name in results:
            text = section(results[name])
            sections[text.splitlines()[0]] = text
    rows, said = known_rows(sections.get(SUMMARY, ""))
    rows |= {row[0]: row for row in aims(results).rows}
    sections = {SUMMARY: f"{SUMMARY}\n\n{table(SUMMARY_HEAD, list(rows.values()))}\n{said}"} | {
        heading: text for heading, text in sections.items() if heading != SUMMARY
    }
    text = "\n" + "\n\n".join(section.strip() for section in sections.values()) + "\n\n"
    DOCUMENT.write_text(before + BEGIN + text + END + after)
    print(text)


def split(figures: str) -> dict[str, str]:
    """The sections of the document by their headings."""
    parts = [f"## {part}" for part in figures.split("\n## ")[1:]] if "\n## " in figures else []
    return {part.splitlines()[0]: part for part in parts}


def known_rows(section: str) -> tuple[dict[str, list[str]], str]:
    """Rows of the first table of a section, by what they are about; and what people wrote below it."""
    lines = section.splitlines()
    begin = next((at for at, line in enumerate(lines) if line.startswith("| ---")), len(lines)) + 1
    end = next((at for at in range(begin, len(lines)) if not lines[at].startswith("|")), len(lines))
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines[begin:end]]
    return {row[0]: row for row in rows}, "\n".join(lines[end:]).strip()


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def where(part: dict) -> str:
    machine = part["machine"]
    changed = " with uncommitted changes" if machine["changed"] else ""
    return (
        f"{machine['at']}, commit `{machine['commit']}`{changed}; {machine['cores']} cores ({machine['model']}), "
        f"{machine['memory_gib']:.0f} GiB, Linux {machine['kernel']}, load before {machine['load']:.1f}; "
        f"{'one run' if part['runs_asked'] == 1 else 'medians of ' + str(part['runs_asked']) + ' runs'}.\n"
    )


class Aims:
    """Rows of the summary: what was asked, what was reached."""

    def __init__(self):
        self.rows: list[list[str]] = []

    def most(self, what: str, limit: float, value: float, unit: str) -> None:
        verdict = "yes" if value <= limit else "**no**"
        self.rows.append([what, f"≤ {number(limit)} {unit}".rstrip(), f"{number(value)} {unit}".rstrip(), verdict])

    def least(self, what: str, limit: float, value: float, unit: str) -> None:
        verdict = "yes" if value >= limit else "**no**"
        self.rows.append([what, f"≥ {number(limit)} {unit}".rstrip(), f"{number(value)} {unit}".rstrip(), verdict])


def number(value: float) -> str:
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


SUMMARY = "## Asked and reached"
SUMMARY_HEAD = ["what", "asked", "reached", "met"]


def aims(results: dict) -> Aims:
    """What was asked, and what was reached this time."""
    aims = Aims()
    if "access" in results:
        medians = results["access"]["medians"]
        cpu = {name: found["cpu"] for name, found in medians.items() if name != "koshu"}
        ours = medians["koshu"]
        aims.most("`koshu access`, 1 GB: CPU", 4, ours["cpu"], "s")
        aims.most("`koshu access`, 1 GB: peak memory", 200, ours["peak_mib"], "MiB")
        general = min(value for name, value in cpu.items() if not name.endswith("-split"))
        aims.least("CPU of the best peer / ours, same parsing", 4, general / ours["cpu"], "times")
        aims.least("CPU of the best peer / ours, query made for this file", 4, min(cpu.values()) / ours["cpu"], "times")
    if "intake" in results:
        medians = results["intake"]["medians"]
        aims.most("intake of a million lines: CPU until sealed and rolled up", 6.5, medians["cpu"], "s")
        aims.most("intake: peak memory until sealed", 350, medians["peak_mib"], "MiB")
        aims.most("bytes a row on disk after compaction", 50, medians["bytes_a_row"], "B")
    if "protocols" in results:
        found = results["protocols"]
        for name, limit in {"otlp_grpc": 100_000, "forward": 100_000, "bulk": 80_000}.items():
            rate = found["logs"][name]["a_cpu_second"]
            aims.least(f"{PROTOCOLS[name]}: records a CPU second, durable", limit, rate, "")
        aims.most("remote write, a million samples: CPU", 3, found["remote_write"]["cpu"], "s")
        aims.most("bytes a sample after compaction", 2.5, found["remote_write"]["bytes_a_sample"], "B")
        storm = found["overload"]
        aims.least("overload: accepted of capacity", 90, 100 * storm["accepted_a_second"] / storm["capacity_a_second"], "%")
        aims.most("overload: peak memory, with a budget of 512 MiB", 512, storm["peak_mib"], "MiB")
        aims.most("overload: refusals without Retry-After", 0, storm["without_retry_after"], "")
        aims.most("overload: acknowledged records that are missing", 0, storm["lost"], "")
    if "queries" in results:
        for page in ("signals", "requests"):
            aims.most(f"{page} over a day, p95", 100, results["queries"]["pages"][page]["p95_ms"], "ms")
        for name, limit in {
            "count by status, minute": 0.2,
            "p50, p95, p99 by route": 1,
            "substring of path": 0.3,
            "exact trace id": 0.05,
            "last 100 rows": 0.1,
        }.items():
            aims.most(f"SQL {name}: CPU", limit, results["queries"]["sql"]["asked"][name]["cpu"], "s")
    if "start" in results:
        found = results["start"]
        aims.most("ready with 10 million rows", 2, found["ready"], "s")
        aims.most("ready after 1 GiB of journal", 5, found["replay"]["ready"], "s")
        aims.most("idle memory, empty", 120, found["idle_empty"]["resident_mib"], "MiB")
        aims.most("idle memory, 10 million rows stored", 120, found["idle_day"]["resident_mib"], "MiB")
    if "watch" in results:
        found = results["watch"]
        aims.most("1,000 rules, 100 objectives, 200 services: CPU a rule and evaluation", 150, found["cpu_us_a_rule"], "µs")
        aims.most("the same, of one core", 10, found["core_share"] * 100, "%")
        aims.most("from a failing request to the webhook, of ten", 16, max(found["told_seconds"]), "s")
    return aims


def access(part: dict) -> str:
    versions = part["versions"]
    names = {
        "koshu": "`koshu access`",
        "duckdb-regex": f"DuckDB {versions['duckdb']}, one regular expression a line",
        "duckdb-split": f"DuckDB {versions['duckdb']}, as CSV cut at spaces",
        "chdb-regex": f"chdb {versions['chdb']}, one regular expression a line",
        "chdb-split": f"chdb {versions['chdb']}, cut at quotes",
        "goaccess": f"GoAccess {versions['goaccess']}, only its panel of requests",
    }
    rows = [
        [names[name], f"{found['cpu']:.2f}", f"{found['wall']:.1f}", f"{found['peak_mib']:.0f}"]
        for name, found in part["medians"].items()
    ]
    return (
        "## The requests table of a combined log\n\n"
        f"{part['lines']:,} lines, {part['bytes']:,} bytes, with response times. {where(part)}\n"
        + table(["program", "CPU s", "wall s", "peak MiB"], rows)
    )


def intake(part: dict) -> str:
    found = part["medians"]
    rows = [
        ["CPU until every line is acknowledged (durable, visible)", f"{found['acknowledged_cpu']:.2f} s"],
        ["CPU until sealed and rolled up", f"{found['cpu']:.2f} s"],
        ["of single runs", ", ".join(f"{run['cpu']:.2f}" for run in part["runs"]) + " s"],
        ["CPU of compaction", f"{found['compaction_cpu']:.2f} s"],
        ["wall time until acknowledged", f"{found['acknowledged_wall']:.1f} s"],
        ["peak memory until sealed", f"{found['peak_mib']:.0f} MiB"],
        ["peak memory with compaction", f"{found['compaction_peak_mib']:.0f} MiB"],
        ["bytes a row when sealed", f"{found['sealed_bytes_a_row']:.1f}"],
        ["bytes a row after compaction", f"{found['bytes_a_row']:.1f}"],
        ["of these for roll-ups", f"{found['rollup_bytes_a_row']:.1f}"],
        ["rows of roll-ups", f"{found['rollup_rows']:,.0f}"],
        ["pushed back (503)", f"{found['pushed_back']:.0f}"],
    ]
    return (
        "## Intake over HTTP\n\n"
        f"{part['lines']:,} JSON lines of {part['bytes'] / part['lines']:.0f} bytes over 2.4 hours of log time, 10,000 "
        f"a request, 2 connections. {where(part)}\n" + table(["what", "median"], rows)
    )


def queries(part: dict) -> str:
    pages = [
        [name, *(f"{page[key]:.0f}" for key in ("cold_ms", "p50_ms", "p95_ms", "cpu_ms", "calls"))]
        for name, page in part["pages"].items()
    ]
    asked = [
        [name, f"{found['cpu']:.3f}", f"{found['wall']:.3f}", f"{found['cold_cpu']:.3f}", f"{found['rows']:,}"]
        for name, found in part["sql"]["asked"].items()
    ]
    return (
        "## Answers over a stored day\n\n"
        f"{part['rows']:,} requests of 40 routes in 24 hours, {part['rollup_rows']:,} rows of roll-ups; peak memory of "
        f"the server with all of these {part['peak_mib']:.0f} MiB. {where(part)}\n"
        "Pages over the whole day, up to 50 calls after 3 to warm up; the first call is the first after a start:\n\n"
        + table(["API", "first call ms", "p50 ms", "p95 ms", "CPU ms", "calls"], pages)
        + f"\nSQL and explorer over {part['sql']['range_rows']:,} rows, medians of 7 calls after a first one:\n\n"
        + table(["question", "CPU s", "wall s", "first call CPU s", "rows"], asked)
    )


def start(part: dict) -> str:
    replay, empty, day = part["replay"], part["idle_empty"], part["idle_day"]
    rows = [
        ["ready with 10 million rows", f"{part['ready']:.2f} s ({part['ready_cpu']:.2f} CPU s)"],
        ["the same, nothing of the lake in the file cache", f"{part['ready_uncached']:.2f} s"],
        [
            f"ready after {replay['bytes'] / 2**30:.2f} GiB of journal ({replay['rows']:,.0f} rows)",
            f"{replay['ready']:.2f} s ({replay['cpu']:.2f} CPU s, peak {replay['peak_mib']:.0f} MiB)",
        ],
        ["until all of it is sealed", f"{replay['sealed_cpu']:.2f} CPU s, peak {replay['sealed_peak_mib']:.0f} MiB"],
        ["idle after a minute, empty", f"{empty['resident_mib']:.0f} MiB, {empty['cpu_share'] * 100:.1f} % of a core"],
        [
            "idle after a minute, 10 million rows",
            f"{day['resident_mib']:.0f} MiB (peak {day['peak_mib']:.0f}), {day['cpu_share'] * 100:.1f} % of a core",
        ],
    ]
    return f"## Start and idle\n\n{where(part)}\n" + table(["what", "median"], rows)


def protocols(part: dict) -> str:
    rows = [
        [PROTOCOLS[name], *(f"{found[key]:.2f}" for key in ("cpu", "sealed_cpu", "wall")),
         f"{found['a_cpu_second']:,.0f}", f"{found['peak_mib']:.0f}"]
        for name, found in part["logs"].items()
    ]  # fmt: skip
    wrote, storm = part["remote_write"], part["overload"]
    rows.append(["remote write 1.0", *(f"{wrote[key]:.2f}" for key in ("cpu", "sealed_cpu", "wall")),
                 f"{wrote['samples'] / wrote['cpu']:,.0f}", f"{wrote['peak_mib']:.0f}"])  # fmt: skip
    return (
        "## Other programs' protocols\n\n"
        f"{part['records']:,} log records of 200 bytes, 1,000 a request, 4 connections; {wrote['samples']:,.0f} samples of "
        f"one host's 500 series every 15 s, 2,000 a request. {where(part)}\n"
        + table(["protocol", "CPU s acknowledged", "CPU s sealed", "wall s", "records a CPU s", "peak MiB"], rows)
        + f"\nSamples take {wrote['sealed_bytes_a_sample']:.2f} bytes each when sealed, {wrote['bytes_a_sample']:.2f} "
        "after compaction.\n\n"
        f"Overload: 64 connections that send again at once for 60 s offered {storm['offered_a_second']:,.0f} lines a "
        f"second; {storm['accepted_a_second']:,.0f} a second were accepted (four connections that wait: "
        f"{storm['capacity_a_second']:,.0f}), {storm['refused']:,} requests refused, peak {storm['peak_mib']:.0f} MiB.\n"
    )


def watch(part: dict) -> str:
    rows = [
        ["CPU a rule and evaluation", f"{part['cpu_us_a_rule']:.1f} µs"],
        ["share of one core", f"{part['core_share'] * 100:.2f} %"],
        ["the same server without rules", f"{part['without_share'] * 100:.2f} %"],
        ["wall time of an evaluation", f"{part['wall_ms_an_evaluation']:.0f} ms"],
        ["resident memory, and without rules", f"{part['resident_mib']:.0f} MiB, {part['resident_without_mib']:.0f} MiB"],
        ["from a failing request to the webhook", ", ".join(f"{seconds:.1f}" for seconds in part["told_seconds"]) + " s"],
    ]
    return (
        "## The watch\n\n"
        f"{part['rules']:,} rules over requests ({part['objectives']} of them over objectives) of {part['services']} services "
        f"with 20 routes each, every 15 s. {where(part)}\n" + table(["what", "median"], rows)
    )


PROTOCOLS = {"otlp_grpc": "OTLP over gRPC", "forward": "forward with ack", "bulk": "`_bulk`"}
SECTIONS = {"access": access, "intake": intake, "protocols": protocols, "queries": queries, "start": start, "watch": watch}
