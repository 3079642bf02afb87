use super::*;
use proptest::prelude::*;

fn route(method: &str, target: &str) -> String {
    RouteNormaliser::default().normalise(method, target)
}

#[test]
fn variable_parts_become_placeholders() {
    for (target, want) in [
        ("/", "/"),
        ("/items/42", "/items/:id"),
        ("/items/42/reviews?page=2", "/items/:id/reviews"),
        ("/items/42#top", "/items/:id"),
        ("/u/3f2b8c1e-7a4d-4c0b-9f6e-1a2b3c4d5e6f", "/u/:uuid"),
        ("/u/3F2B8C1E-7A4D-4C0B-9F6E-1A2B3C4D5E6F/x", "/u/:uuid/x"),
        ("/commit/1a2b3c4d5e", "/commit/:hex"),
        ("/word/deadbeef", "/word/deadbeef"),
        ("/word/facade", "/word/facade"),
        ("/blog/2015-05-17/post", "/blog/:date/post"),
        ("/blog/2015/05/17/post", "/blog/:date/post"),
        ("/blog/2015/05/17", "/blog/:date"),
        ("/blog/2015/05", "/blog/:id/:id"),
        ("/2015/99/17", "/:id/:id/:id"),
        ("/users/taro@example.co.jp", "/users/:email"),
        ("/users/taro%40example.co.jp/edit", "/users/:email/edit"),
        ("/img/logo@2x.png", "/img/logo@2x.png"),
        ("/img/123.png", "/img/:id.png"),
        ("/dl/123.tar.gz", "/dl/:id.tar.gz"),
        ("/assets/application-d41d8cd98f00b204.css", "/assets/application-:hex.css"),
        ("/assets/app.3f2a9c1b.min.js", "/assets/app.:hex.min.js"),
        ("/reset/dGhpcyBpcyBhIHRva2Vu4", "/reset/:token"),
        ("/jwt/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.SflKxwRJ", "/jwt/:token"),
        ("/presentations/logstash-monitorama-2013/x", "/presentations/logstash-monitorama-2013/x"),
        ("/how-to-keep-100-servers-happy-in-2018", "/how-to-keep-100-servers-happy-in-2018"),
        ("/api/v1/items", "/api/v1/items"),
        ("/api/1.0/items", "/api/1.0/items"),
        ("/%E6%97%A5%E6%9C%AC", "/日本"),
        ("/a%2Fb/c", "/a%2Fb/c"),
        ("/a%20b", "/a%20b"),
        ("/a b", "/a%20b"),
        ("/%zz", "/%25zz"),
        ("/%3412", "/:id"),
        ("/%ff", "/%FF"),
        ("/a;jsessionid=0A1B2C/b", "/a/b"),
        ("//a//", "//a//"),
        ("http://shop.example:80/items/7?x", "/items/:id"),
        ("http://shop.example", "/"),
        ("*", "*"),
        ("-", "(unreadable)"),
        ("", "(unreadable)"),
        ("shop.example:443", "(unreadable)"),
        ("\u{1b}[31m", "(unreadable)"),
    ] {
        assert_eq!(route("GET", target), format!("GET {want}"), "{target}");
    }
}

#[test]
fn an_invented_method_is_a_dash() {
    for (method, want) in [("PROPFIND", "PROPFIND /"), ("get", "- /"), ("-", "- /"), ("", "- /"), ("TRACK", "- /")] {
        assert_eq!(route(method, "/"), want);
    }
}

#[test]
fn patterns_of_the_service_come_first() {
    let patterns = ["/items/:slug/reviews", "GET /files/*", "/shop/*/cart"].map(|raw| raw.parse().unwrap());
    let normaliser = RouteNormaliser::new(patterns.to_vec());
    for (method, target, want) in [
        ("GET", "/items/blue-shoes/reviews?p=1", "GET /items/:slug/reviews"),
        ("GET", "/items/:slug/reviews", "GET /items/:slug/reviews"),
        ("GET", "/items//reviews", "GET /items//reviews"),
        ("GET", "/items/blue-shoes", "GET /items/blue-shoes"),
        ("GET", "/files/a/b/c", "GET /files/*"),
        ("POST", "/files/a", "POST /files/a"),
        ("GET", "/files", "GET /files"),
        ("GET", "/shop/tokyo/cart", "GET /shop/*/cart"),
        ("GET", "/shop/tokyo/9/cart", "GET /shop/tokyo/:id/cart"),
    ] {
        assert_eq!(normaliser.normalise(method, target), want, "{target}");
    }
}

#[test]
fn a_bad_pattern_says_how_to_write_it() {
    for (raw, want) in [
        (
            "items/:id",
            "route pattern \"items/:id\" does not start with /; write it as /items/:slug or GET /items/:slug",
        ),
        ("FETCH /x", "\"FETCH\" is no HTTP method"),
        ("/x?y", "route pattern \"/x?y\" has a query, a fragment or a blank; routes are made of the path alone"),
    ] {
        assert_eq!(raw.parse::<RoutePattern>().unwrap_err().to_string(), want);
    }
    assert_eq!(format!("/{}", "x".repeat(200)).parse::<RoutePattern>(), Err(RoutePatternError::TooLong(201)));
}

#[test]
fn long_paths_are_cut_between_segments() {
    let long = format!("/{}", "segment/".repeat(60));
    let got = route("GET", &long);
    assert!(got.len() <= MAX_ROUTE && got.ends_with("/segment/…"), "{got}");
    assert_eq!(route("GET", &format!("/{}", "a".repeat(300))), "GET /:token");
    assert_eq!(route("GET", &format!("/{}", "%E6%97%A5".repeat(9000))), "GET /:token");
}

#[test]
fn routes_beyond_the_limit_are_other_and_counted() {
    let mut table = RouteTable::with_limit(RouteNormaliser::default(), 2);
    let a = table.route("GET", "/a?x=1");
    assert_eq!((a, table.route("GET", "/a?x=2")), (a, a));
    let b = table.route("POST", "/a");
    assert_eq!((table.name(a), table.name(b), table.over_limit()), ("GET /a", "POST /a", None));
    for name in ["c", "d", "e", "e", "e"] {
        assert_eq!(table.route("GET", &format!("/{name}")), RouteId::OTHER);
    }
    assert_eq!(table.over_limit(), Some(OverLimit { requests: 5, routes: 3 }));
    assert_eq!((table.len(), table.name(RouteId::OTHER)), (2, "(other)"));
    assert_eq!(table.admit("GET /a"), a);
    assert_eq!(table.route("GET", "/a"), a);
}

#[test]
fn the_number_of_routes_over_the_limit_is_about_right() {
    let mut table = RouteTable::with_limit(RouteNormaliser::default(), 10);
    for n in 0..5_010u32 {
        let word: String = n.to_string().bytes().map(|b| char::from(b - b'0' + b'g')).collect();
        table.route("GET", &format!("/{word}"));
    }
    let over = table.over_limit().unwrap();
    assert_eq!(over.requests, 5_000);
    assert!((4_750..=5_250).contains(&over.routes), "{over:?}");
}

fn path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "\\PC{0,12}",
        "[0-9]{1,12}",
        "[0-9a-f]{6,40}",
        "[A-Za-z0-9_.-]{15,80}",
        "(%[0-9a-fA-F]{2}){1,4}",
        "%[%0-9a-f]{0,4}",
        "(19|20)[0-9]{2}",
        "[01][0-9]",
        "[a-z]{1,4}@[a-z]{1,4}\\.[a-z]{1,4}",
        "[a-z0-9]{1,10}(-|\\.)[0-9a-f]{8,10}\\.(js|css|tar\\.gz)",
        Just(":id".to_owned()),
        Just("…".to_owned()),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| format!("/{}", pieces.join("/")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_route_normalises_to_itself_and_keeps_its_bound(path in path()) {
        let first = route("GET", &path);
        prop_assert!(first.len() <= MAX_ROUTE, "{} bytes", first.len());
        prop_assert!(!first.contains('?'));
        let (method, rest) = first.split_once(' ').unwrap();
        prop_assert_eq!(route(method, rest), first);
    }

    #[test]
    fn no_bytes_make_it_panic(method in ".{0,30}", target in proptest::collection::vec(any::<u8>(), 0..400)) {
        let target = String::from_utf8_lossy(&target);
        let first = route(&method, &target);
        prop_assert!(first.len() <= MAX_ROUTE);
        let (method, rest) = first.split_once(' ').unwrap();
        prop_assert_eq!(route(method, rest), first.as_str());
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn the_cache_never_changes_a_route(paths in proptest::collection::vec(path(), 1..40)) {
        let normaliser = RouteNormaliser::default();
        let mut table = RouteTable::new(normaliser.clone());
        for path in paths.iter().chain(&paths) {
            let id = table.route("GET", path);
            prop_assert_eq!(table.name(id), normaliser.normalise("GET", path));
        }
    }
}
