// How much a first visit to the first page downloads, gzipped: index.html and everything it and
// the first page's chunk import. Fails above the limit.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const LIMIT = 150_000;
const dist = fileURLToPath(new URL("../dist", import.meta.url));
const assets = readdirSync(join(dist, "assets"));
const seen = new Set();
const follow = (file) => {
  if (seen.has(file)) return;
  seen.add(file);
  if (!file.endsWith(".js")) return;
  const text = readFileSync(join(dist, file), "utf8");
  const fixed = [...text.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)].map((match) => match[1]);
  for (const name of fixed) follow(`assets/${name}`);
};
const html = readFileSync(join(dist, "index.html"), "utf8");
seen.add("index.html");
seen.add("first-paint.js");
for (const match of html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)) follow(match[1]);
const largestText = assets
  .filter((name) => /^web-.*\.js$/.test(name))
  .sort((a, b) => size(`assets/${b}`) - size(`assets/${a}`))[0];
for (const name of [...assets.filter((each) => /^HomePage-/.test(each)), largestText])
  if (name) follow(`assets/${name}`);
for (const name of assets.filter((each) => each.endsWith(".css"))) seen.add(`assets/${name}`);
const total = [...seen].reduce((sum, file) => sum + size(file), 0);
console.log(
  `first load: ${(total / 1000).toFixed(1)} kB gzip in ${seen.size} files, limit ${LIMIT / 1000} kB`,
);
process.exitCode = total > LIMIT ? 1 : 0;

function size(file) {
  return gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;
}
