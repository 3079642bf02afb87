// Configuration to begin with, for pages that have nothing to show yet. Pure.

export const RULES_YAML = `# koshu.yaml
services:
  shop: {owner: web-team}
rules:
  - name: checkout-slow
    service: shop
    route: POST /checkout
    signal: latency.p95
    above: 800ms
    hold: 5m
    class: ticket
    due: 3d
outputs:
  ticket: [{slack: {webhook_file: /etc/koshu/slack}}]`;

export const OBJECTIVES_YAML = `# koshu.yaml
services:
  shop:
    owner: web-team
    objectives:
      - {name: available, good: "status < 500", target: 99.9, window: 30d}
      - {name: fast, good: "duration_ms < 300", target: 99, window: 30d}
rules:
  - name: shop-burning
    service: shop
    objective: available
    class: alert
    action: "Roll back the last deploy"
outputs:
  alert: [{slack: {webhook_file: /etc/koshu/slack}}]`;

export const CHECKS_YAML = `# koshu.yaml
services:
  shop: {owner: web-team}
checks:
  buy:
    service: shop
    every: 1m
    steps:
      - {get: "https://shop.example/", expect: {status: 200}}
      - {post: "https://shop.example/cart", form: {item: "1"}, expect: {status: 302}}`;
