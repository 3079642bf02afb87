// Writes the names of all texts as a type, so that a misspelt one does not compile.
import { readFileSync, writeFileSync } from "node:fs";

const source = readFileSync(new URL("../../locales/en/web.ftl", import.meta.url), "utf8");
const keys = [...source.matchAll(/^([a-z][a-z0-9-]*) *=/gm)].map((match) => match[1]);
const lines = keys.sort().map((key) => `  | "${key}"`);
writeFileSync(
  new URL("../src/i18n/keys.ts", import.meta.url),
  `// Written by \`npm run keys\` out of locales/en/web.ftl.\n\nexport type MessageKey =\n${lines.join("\n")};\n`,
);
