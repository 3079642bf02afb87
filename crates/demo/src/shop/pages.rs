//! What the shop shows: plain pages about tea and tableware.
//!
//! Everything that came from a visitor is escaped before it is shown.

use super::{ITEMS, PAGE};
use crate::queue::{OrderId, OrderState};
use std::fmt::Write as _;

const KINDS: [(&str, &str); 12] = [
    ("煎茶", "Sencha"),
    ("抹茶", "Matcha"),
    ("ほうじ茶", "Hojicha"),
    ("玄米茶", "Genmaicha"),
    ("急須", "Teapot"),
    ("湯呑み", "Teacup"),
    ("茶筅", "Tea whisk"),
    ("風呂敷", "Wrapping cloth"),
    ("箸", "Chopsticks"),
    ("和菓子", "Sweets"),
    ("お香", "Incense"),
    ("手ぬぐい", "Towel"),
];
const PLACES: [(&str, &str); 10] = [
    ("宇治", "Uji"),
    ("静岡", "Shizuoka"),
    ("八女", "Yame"),
    ("知覧", "Chiran"),
    ("嬉野", "Ureshino"),
    ("京都", "Kyoto"),
    ("有田", "Arita"),
    ("益子", "Mashiko"),
    ("金沢", "Kanazawa"),
    ("奈良", "Nara"),
];

/// A name, in Japanese and English, and a price for each item on sale.
fn name(id: u16) -> (String, String) {
    let (kind_ja, kind_en) = KINDS[usize::from(id) % KINDS.len()];
    let (place_ja, place_en) = PLACES[usize::from(id / 7) % PLACES.len()];
    (format!("{place_ja}の{kind_ja}"), format!("{kind_en} from {place_en}"))
}

fn price_yen(id: u16) -> u32 {
    300 + u32::from(id) * 37 % 90 * 100
}

fn page(title: &str, body: &str) -> String {
    format!(
        "<!doctype html><html lang=\"ja\"><meta charset=\"utf-8\"><title>{title}</title>\
         <link rel=\"stylesheet\" href=\"/assets/shop.css\"><script src=\"/assets/shop.js\" defer></script>\
         <header><img src=\"/assets/logo.svg\" alt=\"\"> <a href=\"/\">茶と器 (demonstration)</a> \
         <a href=\"/items\">Items</a> <a href=\"/cart\">Cart</a>\
         <form action=\"/search\"><input name=\"q\" aria-label=\"Search\"></form></header>\
         <main><h1>{title}</h1>{body}</main></html>\n"
    )
}

fn links(ids: impl Iterator<Item = u16>) -> String {
    let mut out = String::from("<ul>");
    for id in ids {
        let (ja, en) = name(id);
        let _ = write!(out, "<li><a href=\"/items/{id}\">{ja} / {en}</a> ¥{}</li>", price_yen(id));
    }
    out + "</ul>"
}

pub(crate) fn home() -> String {
    page("ようこそ", &links((1..=ITEMS).step_by(40)))
}

pub(crate) fn list(number: u16) -> String {
    let first = (number - 1) * PAGE + 1;
    page(&format!("Items, page {number}"), &links(first..first + PAGE))
}

pub(crate) fn item(id: u16) -> String {
    let (ja, en) = name(id);
    let body = format!(
        "<img src=\"/assets/item-{}.svg\" alt=\"\"><p>{en}, ¥{}</p><form method=\"post\" action=\"/cart\">\
         <button name=\"item\" value=\"{id}\">Add to cart</button></form>",
        id % 12,
        price_yen(id)
    );
    page(&ja, &body)
}

pub(crate) fn search(q: &str) -> String {
    let wanted = q.to_lowercase();
    let found = (1..=ITEMS).filter(|id| {
        let (ja, en) = name(*id);
        ja.contains(&wanted) || en.to_lowercase().contains(&wanted)
    });
    page(&format!("Search: {}", escaped(q)), &links(found.take(usize::from(PAGE))))
}

pub(crate) fn cart(items: &[u16]) -> String {
    let total: u32 = items.iter().map(|id| price_yen(*id)).sum();
    let body = format!(
        "{}<p>¥{total}</p><form method=\"post\" action=\"/checkout\"><button>Buy</button></form>",
        links(items.iter().copied())
    );
    page("Cart", &body)
}

pub(crate) fn order(id: OrderId, state: OrderState) -> String {
    let state = match state {
        OrderState::Waiting => "received",
        OrderState::BeingPacked => "being packed",
        OrderState::Shipped => "shipped",
    };
    page("Order", &format!("<p>{id}: {state}</p>"))
}

pub(crate) fn message(text: &str) -> String {
    page("茶と器", &format!("<p>{text}</p>"))
}

/// Content type and content of a static file.
pub(crate) fn asset(name: &str) -> Option<(&'static str, String)> {
    match name {
        "shop.css" => Some(("text/css", "body{font-family:sans-serif;margin:2rem}main{max-width:60rem}\n".repeat(12))),
        "shop.js" => Some(("text/javascript", "document.documentElement.dataset.ready = \"yes\";\n".repeat(30))),
        "logo.svg" => Some(("image/svg+xml", picture(120))),
        _ => {
            let kind: u16 = name.strip_prefix("item-")?.strip_suffix(".svg")?.parse().ok()?;
            (kind < 12).then(|| ("image/svg+xml", picture(kind * 30)))
        }
    }
}

fn picture(hue: u16) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\">\
         <circle cx=\"16\" cy=\"16\" r=\"14\" fill=\"hsl({hue} 40% 50%)\"/></svg>\n"
    )
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_visitor_searched_for_is_text_and_not_markup() {
        let html = search("<script>alert(1)</script>");
        assert!(html.contains("Search: &lt;script&gt;") && !html.contains("<script>alert"));
    }

    #[test]
    fn a_japanese_search_finds_items() {
        assert!(search("抹茶").contains("の抹茶"));
        assert!(!search("抹茶").contains("の煎茶"));
    }

    #[test]
    fn every_list_page_and_asset_exists() {
        assert_eq!(list(ITEMS / PAGE).matches("<li>").count(), usize::from(PAGE));
        for (name, want) in [("shop.css", true), ("item-11.svg", true), ("item-12.svg", false), ("../x", false)] {
            assert_eq!(asset(name).is_some(), want, "{name}");
        }
    }
}
