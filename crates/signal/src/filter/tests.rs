use super::*;
use base::Timestamp;
use proptest::prelude::*;

fn filter(text: &str) -> Filter {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn cart() -> RequestRecord {
    RequestRecord {
        ts: Timestamp::from_seconds(1),
        service: "shop".into(),
        host: None,
        method: "POST".into(),
        route: "POST /cart/:id".into(),
        path: "/cart/17".into(),
        status: 500,
        duration_us: Some(1_500_000),
        bytes: None,
        user_key: Some("u1".into()),
        trace_id: Some("t1".into()),
        source: "http".into(),
        attrs: vec![("user_agent".into(), "curl/8.1 (x)".into()), ("名前".into(), "太郎".into())],
    }
}

#[test]
fn a_filter_means_what_it_says() {
    for (text, want) in [
        ("", true),
        ("   ", true),
        ("cart", true),
        ("CART", true),
        ("\"cart/17\"", true),
        ("basket", false),
        (":id", true),
        ("*cart*", true),
        ("service:shop", true),
        ("service:Shop", false),
        ("service:sh*", true),
        ("service=shop", true),
        ("service!=shop", false),
        ("method:post", true),
        ("method:P*", true),
        ("route:\"POST /cart/:id\"", true),
        ("route:\"POST /cart/*\"", true),
        ("route:\"POST /cart/\\*\"", false),
        ("path:/cart/17", true),
        ("path:/cart", false),
        ("status>=500", true),
        ("status >= 500", true),
        ("status:>=500", true),
        ("status:500", true),
        ("status:5xx", true),
        ("status:5*", true),
        ("status!=5xx", false),
        ("status!=500", false),
        ("status<5xx", false),
        ("status>4xx", true),
        ("duration>1s", true),
        ("duration>1500", false),
        ("duration>=1.5s", true),
        ("duration=1500ms", true),
        ("duration<0.1m", true),
        ("duration<1500000us", false),
        ("user:u1 trace:t1 source:http", true),
        ("user_agent:curl*", true),
        ("user_agent:\"curl/8.1 (x)\"", true),
        ("user_agent:curl/8.1\\ \\(x\\)", true),
        ("名前:太郎", true),
        ("名前:花子", false),
        ("status:404 OR duration>1s", true),
        ("status:404 OR status:403 duration>1s", false),
        ("(status:404 OR status:500) AND duration>1s", true),
        ("NOT status:404", true),
        ("-status:500", false),
        ("-(status:404 OR status:403) cart", true),
        ("NOT NOT cart", true),
        ("\"OR\"", false),
        ("or", false),
    ] {
        assert_eq!(filter(text).matches(&cart()), want, "{text}");
    }
}

#[test]
fn a_comparison_with_an_unknown_value_is_false_and_its_negation_true() {
    for (text, want) in [
        ("bytes>0", false),
        ("bytes<=0", false),
        ("bytes!=1KiB", false),
        ("NOT bytes>0", true),
        ("host:a", false),
        ("host!=a", false),
        ("host:*", false),
        ("-host:*", true),
        ("referer:x", false),
        ("referer!=x", false),
        ("-referer:x", true),
    ] {
        assert_eq!(filter(text).matches(&cart()), want, "{text}");
    }
}

#[test]
fn a_mistake_is_named_with_its_column_and_its_way_out() {
    for (text, want) in [
        ("cart path:\"/x", "column 11: this quote is not closed; add \" at its end, or write \\\" for a quote inside"),
        ("(cart", "column 1: this parenthesis is not closed; add ), or quote the text"),
        ("cart)", "column 5: this ) closes nothing; remove it, or quote the text"),
        (")", "column 1: this ) closes nothing; remove it, or quote the text"),
        ("()", "column 2: nothing follows (; add a term, or quote \"(\" to search for it"),
        ("cart OR", "column 6: nothing follows OR; add a term, or quote \"OR\" to search for it"),
        ("OR cart", "column 1: nothing is in front of OR; add a term, or quote \"OR\" to search for it"),
        ("NOT", "column 1: nothing follows NOT; add a term, or quote \"NOT\" to search for it"),
        ("cart - x", "column 6: nothing follows -; add a term, or quote \"-\" to search for it"),
        (">=500", "column 1: a field has to be in front of >=; for example status>=500"),
        (
            "service: shop",
            "column 1: a value has to follow service: without a space; for an empty one write service:\"\"",
        ),
        (
            "path>5",
            "column 1: path is text, > compares numbers (status, duration, bytes); write path:value or path:val*",
        ),
        ("商品 status>abc", "column 11: \"abc\" is no number; write for example status>=500, status:404 or status:5xx"),
        ("duration>1x", "column 10: \"1x\" has no known unit; use one of us, ms, s, m"),
        (
            "duration>",
            "column 1: a value has to follow duration> without a space; for an empty one write duration>\"\"",
        ),
        ("duration>1.s", "column 10: \"1.s\" is no number; write for example duration>1s or duration<=250ms"),
        ("bytes>4KB", "column 7: \"4KB\" has no known unit; use one of B, KiB, MiB, GiB, TiB"),
        ("bytes>9999999999999TiB", "column 7: \"9999999999999TiB\" is too large"),
        ("a*b", "column 1: a word is found anywhere in the path; for a star inside write path:*a*b*"),
    ] {
        assert_eq!(text.parse::<Filter>().unwrap_err().to_string(), want, "{text}");
    }
}

#[test]
fn length_depth_and_terms_are_bounded() {
    let problem = |text: String| text.parse::<Filter>().unwrap_err().problem;
    assert_eq!(problem("a".repeat(MAX_FILTER_BYTES + 1)), Problem::TooLong(MAX_FILTER_BYTES + 1));
    assert_eq!(problem("(".repeat(2000)), Problem::TooDeep);
    assert_eq!(problem("-".repeat(2000) + "x"), Problem::TooDeep);
    assert_eq!(problem("NOT ".repeat(500) + "x"), Problem::TooDeep);
    assert_eq!(problem("a ".repeat(MAX_TERMS + 1)), Problem::TooManyTerms);
    assert!("a ".repeat(MAX_TERMS).parse::<Filter>().is_ok());
}

#[test]
fn two_filters_join() {
    let both = filter("cart OR basket").and(filter("status:404"));
    assert!(!both.matches(&cart()));
    assert!(Filter::default().and(filter("cart")).matches(&cart()));
    assert!(filter("cart").and(Filter::default()).matches(&cart()));
    assert!(Filter::default().and(Filter::default()).is_empty());
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_fall(text in ".{0,200}") {
        let _ = text.parse::<Filter>();
    }

    #[test]
    fn nor_does_a_text_of_its_own_signs(text in "[a-z()\"*\\\\:<>=!0-9. -]{0,60}|(NOT |OR |AND |status|[(): -]){0,20}") {
        if let Err(error) = text.parse::<Filter>() {
            prop_assert!(error.position <= text.chars().count());
        }
    }

    #[test]
    fn a_quoted_text_finds_itself_and_nothing_else(text in ".{0,40}", other in ".{0,40}") {
        let found = filter(&format!("path:{}", quote(&text)));
        let same = RequestRecord { path: text.clone(), ..RequestRecord::default() };
        let another = RequestRecord { path: other.clone(), ..RequestRecord::default() };
        prop_assert!(found.matches(&same), "{text:?} is not found by its own text");
        prop_assert_eq!(found.matches(&another), other == text);
    }

    #[test]
    fn a_quoted_bare_text_is_found_in_paths_that_hold_it(text in ".{0,20}", around in ".{0,20}") {
        let row = RequestRecord { path: format!("{around}{text}{around}"), ..RequestRecord::default() };
        let found = filter(&quote(&text)).matches(&row);
        prop_assert!(found);
    }
}
