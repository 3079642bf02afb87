import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// The page is served under `style-src 'self'; script-src 'self'`: nothing may be inlined into
// index.html, so the module preload polyfill and inlined assets are off.
export default defineConfig({
  plugins: [svelte()],
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
  },
  server: {
    fs: { allow: [".", "../locales"] },
    proxy: { "/api": process.env["KOSHU_URL"] ?? "http://127.0.0.1:4650" },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
