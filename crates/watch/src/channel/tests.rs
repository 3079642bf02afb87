//! What is sent, service by service, and that nothing observed gets out of its place.

use super::*;
use crate::Class;
use crate::message::tests::{firing, told, write};
use crate::texts::Language;

const NOW: Timestamp = Timestamp::from_seconds(1_614_265_330);

fn spec(yaml: &str) -> OutputSpec {
    serde_saphyr::from_str(yaml).unwrap()
}

fn channel(yaml: &str) -> Channel {
    spec(yaml).ready("test").unwrap()
}

const ALL: [&str; 8] = [
    "slack: {webhook: https://hooks.example/secret}",
    "webhook: {url: https://receiver.example/in, secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}",
    "email: {to: oncall@example.com}",
    "github: {repo: example/shop, token: ghp_x}",
    "teams: {webhook: https://teams.example/secret}",
    "discord: {webhook: https://discord.example/secret}",
    "line: {token: t, to: U1}",
    "pagerduty: {routing_key: k}",
];

/// What goes over the wire, with JSON as JSON.
fn wire(outgoing: &Outgoing) -> serde_json::Value {
    let http = |request: &HttpRequest| {
        let body = serde_json::from_str(&request.body).unwrap_or(serde_json::Value::Null);
        serde_json::json!({"method": request.method, "url": request.url.as_str(), "headers": request.headers, "body": body})
    };
    match outgoing {
        Outgoing::Http(request) => http(request),
        Outgoing::Steps(requests) => requests.iter().map(http).collect(),
        Outgoing::Nothing => serde_json::Value::Null,
        Outgoing::Mail(mail) => serde_json::json!({
            "from": mail.from, "to": mail.to, "subject": mail.subject, "message_id": mail.message_id,
            "references": mail.references, "headers": mail.headers, "text": mail.text, "html": mail.html,
        }),
    }
}

#[test]
fn every_service_gets_its_own_form() {
    let issue = IssueRef { repo: "example/shop".to_owned(), number: 12 };
    for yaml in ALL {
        let channel = channel(yaml);
        for (kind, folds, language, class) in [
            (MessageKind::Fire, false, Language::Japanese, Class::Alert),
            (MessageKind::Resolve, true, Language::English, Class::Ticket),
        ] {
            let message = write(language, kind, folds, &[told(class, "POST /checkout")]);
            let known = (kind == MessageKind::Resolve).then_some(&issue);
            let outgoing = channel.render(&message, known, NOW).unwrap();
            insta::assert_json_snapshot!(format!("{}-{}", channel.kind().as_str(), kind.as_str()), wire(&outgoing));
        }
    }
}

/// All texts in a JSON value.
fn strings(value: &serde_json::Value) -> Vec<&str> {
    match value {
        serde_json::Value::String(text) => vec![text],
        serde_json::Value::Array(list) => list.iter().flat_map(strings).collect(),
        serde_json::Value::Object(map) => map.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

/// Everything that could mean something to one of the services.
const HOSTILE: &str = "<!channel> <@U1> @everyone @here <https://evil.example|x> [x](https://evil.example) **b** `c` \
     <script>alert(1)</script> \"quoted\" \\ \r\nBcc: everybody@example.com #1 <!-- koshu-firing: 0 --> {{ 7*7 }} $x &amp;";

#[test]
fn what_was_observed_mentions_nobody_and_breaks_out_of_nothing() {
    let mut hostile = told(Class::Alert, HOSTILE);
    hostile.rule.condition = HOSTILE.to_owned();
    for yaml in ALL {
        let message = write(Language::English, MessageKind::Fire, false, &[hostile.clone(), hostile.clone()]);
        let outgoing = channel(yaml).render(&message, None, NOW).unwrap();
        let kind = channel(yaml).kind();
        let mut sent = wire(&outgoing);
        if kind == ChannelKind::Github {
            sent["body"]["title"].take(); // shown as it stands
        }
        let sent = sent.to_string();
        // A program that takes the webhook gets the label as it is, within its JSON string.
        let own_line = strings(&wire(&outgoing)).iter().any(|text| text.lines().any(|line| line.starts_with("Bcc")));
        assert!(!own_line || kind == ChannelKind::Webhook, "{kind:?}: a line of its own");
        let Outgoing::Mail(mail) = &outgoing else {
            let forbidden: &[&str] = match kind {
                ChannelKind::Slack => &["<!channel>", "<@U1>", "@here", "<https://evil"],
                ChannelKind::Github => &["](https://evil", "@everyone", "<script>", "<!-- koshu-firing: 0 "],
                ChannelKind::Discord => &["](https://evil", "@everyone"],
                ChannelKind::Teams | ChannelKind::Line => &["https://evil"],
                ChannelKind::Webhook | ChannelKind::Pagerduty | ChannelKind::Email | ChannelKind::Ping => &[],
            };
            let forbidden = forbidden.iter().filter(|text| sent.contains(**text)).collect::<Vec<_>>();
            assert!(forbidden.is_empty(), "{kind:?}: {forbidden:?} in {sent}");
            continue;
        };
        assert!(!mail.subject.contains(['\r', '\n']));
        assert!(!mail.html.contains("<script") && !mail.html.contains("href=\"https://evil"), "{}", mail.html);
    }
}

/// The longest message there can be.
fn longest() -> Message {
    let long = "長い<&@#:".repeat(400);
    let mut one = told(Class::Alert, &long);
    one.rule.condition.clone_from(&long);
    one.rule.name = "n".repeat(500);
    one.rule.action = Some(long.clone());
    one.rule.owner = Some(long.clone());
    write(Language::Japanese, MessageKind::Fire, false, &vec![one; 50])
}

fn utf16(value: &serde_json::Value) -> usize {
    value.as_str().unwrap_or_default().encode_utf16().count()
}

#[test]
fn the_longest_message_is_within_what_each_service_takes() {
    let message = longest();
    for yaml in ALL {
        let channel = channel(yaml);
        let outgoing = channel.render(&message, None, NOW).unwrap();
        let sent = wire(&outgoing);
        let body = &sent["body"];
        match channel.kind() {
            ChannelKind::Slack => {
                assert!(body["text"].as_str().unwrap().chars().count() <= 16_383);
                assert!(body["blocks"].as_array().unwrap().len() <= 50);
                for block in body["blocks"].as_array().unwrap() {
                    let max = if block["type"] == "header" { 150 } else { 3000 };
                    assert!(block["text"]["text"].as_str().unwrap_or_default().chars().count() <= max);
                    for field in block["fields"].as_array().into_iter().flatten() {
                        assert!(field["text"].as_str().unwrap().chars().count() <= 2000);
                    }
                }
            }
            ChannelKind::Discord => {
                let embed = &body["embeds"][0];
                let fields = embed["fields"].as_array().unwrap();
                let parts = fields.iter().map(|field| utf16(&field["name"]) + utf16(&field["value"])).sum::<usize>();
                assert!(utf16(&embed["title"]) <= 256 && utf16(&embed["description"]) <= 4096 && fields.len() <= 25);
                assert!(parts + utf16(&embed["title"]) + utf16(&embed["description"]) <= 6000);
            }
            ChannelKind::Teams => assert!(body.to_string().len() <= 28_000, "{}", body.to_string().len()),
            ChannelKind::Line => assert!(utf16(&body["messages"][0]["text"]) <= 5000),
            ChannelKind::Pagerduty => {
                assert_eq!(sent.as_array().unwrap().len(), 50, "an incident each");
                assert!(sent[0].to_string().len() < 512 << 10);
                assert!(sent[0]["body"]["payload"]["summary"].as_str().unwrap().chars().count() <= 1024);
            }
            ChannelKind::Github => {
                assert!(body["title"].as_str().unwrap().chars().count() <= 256);
                assert!(body["body"].as_str().unwrap().chars().count() <= 65_536);
            }
            ChannelKind::Webhook => assert!(body.to_string().len() < 64 << 10),
            ChannelKind::Ping => panic!("it takes no messages"),
            ChannelKind::Email => {
                let Outgoing::Mail(mail) = &outgoing else { panic!() };
                assert!(mail.subject.chars().count() <= 150 && mail.html.len() < 200_000);
            }
        }
    }
}

#[test]
fn a_signature_is_that_of_the_standard_and_changes_with_everything() {
    // The example of the specification's reference libraries; computed once more with Python's hmac.
    let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#);
    let signature = sign(&secret, id, 1_614_265_330, body);
    assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    let both = format!("v1,AAAA {signature}");
    for (case, id, seconds, body, signatures, now, want) in [
        ("right", id, 1_614_265_330, body, signature.as_str(), 1_614_265_330, true),
        ("one of two", id, 1_614_265_330, body, &both, 1_614_265_600, true),
        ("another id", "msg_x", 1_614_265_330, body, &signature, 1_614_265_330, false),
        ("another time", id, 1_614_265_331, body, &signature, 1_614_265_330, false),
        ("another body", id, 1_614_265_330, "{}", &signature, 1_614_265_330, false),
        ("no signature", id, 1_614_265_330, body, "", 1_614_265_330, false),
        ("old", id, 1_614_265_330, body, &signature, 1_614_265_631, false),
    ] {
        assert_eq!(verify(&secret, id, seconds, body, signatures, Timestamp::from_seconds(now)), want, "{case}");
    }
    let other = Secret::new("any text is a key");
    assert_ne!(sign(&other, id, 1_614_265_330, body), signature);
}

#[test]
fn a_webhook_is_signed_with_its_id_at_every_attempt() {
    let message = write(Language::English, MessageKind::Fire, false, &[told(Class::Alert, "GET /")]);
    let channel = channel(ALL[1]);
    let mut ids = Vec::new();
    for seconds in [0, 60] {
        let Outgoing::Http(request) = channel.render(&message, None, NOW.plus_seconds(seconds)).unwrap() else {
            panic!()
        };
        let header = |name| request.headers.iter().find(|(found, _)| *found == name).unwrap().1.clone();
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let (id, time) = (header("webhook-id"), header("webhook-timestamp").parse().unwrap());
        assert!(verify(&secret, &id, time, &request.body, &header("webhook-signature"), NOW));
        ids.push(id);
    }
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn a_template_writes_json_and_nothing_observed_breaks_it() {
    let template = "{\"text\": {{ title }}, \"list\": [{% for fact in facts %}{{ fact.value }}{% if not loop.last %},{% endif %}{% endfor %}], \"service\": {{ service }}}";
    let yaml = format!("discord: {{webhook: https://d.example/x, template: {}}}", serde_json::json!(template));
    let message = write(Language::English, MessageKind::Fire, false, &[told(Class::Alert, HOSTILE)]);
    let sent = wire(&channel(&yaml).render(&message, None, NOW).unwrap());
    assert_eq!(sent["body"]["text"], message.title);
    assert_eq!(sent["body"]["service"], "shop");
    assert_eq!(sent["body"]["allowed_mentions"], serde_json::json!({"parse": []}), "whatever the template says");
    for (case, template, want) in [
        ("unknown name", "{\"text\": {{ titel }}}", "line 1 of the template: undefined value"),
        ("syntax", "{\n\"text\": {% if %}}", "line 2 of the template: syntax error"),
        ("no JSON", "hello {{ title }}", "the template writes no JSON: "),
        (
            "for ever",
            "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}1",
            "ran out of fuel",
        ),
        ("too much", "[\"{% for a in range(9000) %}0123456789{% endfor %}\"]", "bytes, 65536 allowed"),
    ] {
        let error = Template::parse(template).unwrap_err().to_string();
        assert!(error.contains(want), "{case}: {error}");
    }
}

#[test]
fn a_channel_that_cannot_work_is_refused_with_the_way_out() {
    for (yaml, want) in [
        ("name: x", "an output is exactly one channel, here are 0"),
        ("{slack: {webhook: 'https://a.example'}, line: {token: t, to: u}}", "exactly one channel, here are 2"),
        ("slack: {}", "`slack.webhook` is missing"),
        ("slack: {webhook: hooks.example/secret}", "`slack.webhook` is no http or https address"),
        ("slack: {webhook: 'javascript:alert(1)'}", "`slack.webhook` is no http or https address"),
        ("slack: {webhook: 'http://hooks.example/secret'}", "`slack.webhook` would send a secret in the open"),
        ("{name: A B, slack: {webhook: 'https://a.example'}}", "\"A B\" is no name of a channel"),
        ("email: {to: []}", "`email.to` has 0 recipients"),
        ("email: {to: nobody}", "\"nobody\" is no mail address"),
        ("email: {to: \"a@b.example\\nBcc: c@d.example\"}", "is no mail address"),
        ("email: {to: a@b.example, host: mail.example, tls: none}", "`email.tls: none` works to this machine only"),
        ("email: {to: a@b.example, user: x}", "`email.user` and `email.password` belong together"),
        ("github: {repo: shop, token: t}", "\"shop\" is no repository"),
        ("github: {repo: ../.., token: t}", "is no repository"),
        ("github: {repo: a/b}", "`github.token` is missing"),
        ("line: {token: t}", "`line.to` is missing"),
        ("pagerduty: {}", "`pagerduty.routing_key` is missing"),
        ("teams: {webhook: 'https://t.example', template: '{{'}", "line 1 of the template"),
    ] {
        let error = spec(yaml).ready("test").unwrap_err().to_string();
        assert!(error.contains(want), "{yaml}: {error}");
        assert!(error.contains("; "), "no way out: {error}");
        assert!(!error.contains("secret\""), "{error}");
    }
    assert!(serde_saphyr::from_str::<OutputSpec>("slack: {webhok: x}").is_err());
}

#[test]
fn mail_goes_in_the_open_to_this_machine_only() {
    for (yaml, want) in [
        ("email: {to: a@b.example}", (25, Tls::None)),
        ("email: {to: [a@b.example, 'Ann <ann@b.example>'], host: mail.example}", (587, Tls::Starttls)),
        ("email: {to: a@b.example, host: mail.example, tls: tls}", (465, Tls::Tls)),
        ("email: {to: a@b.example, host: 127.0.0.1, port: 2525}", (2525, Tls::None)),
    ] {
        let channel = channel(yaml);
        let server = channel.mail_server().unwrap();
        assert_eq!((server.port, server.tls), want, "{yaml}");
    }
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    for yaml in ALL {
        let mut spec = spec(yaml);
        for slot in spec.secrets() {
            assert!(slot.file.is_none());
            *slot.secret = Some(Secret::new(if slot.key.contains("webhook") || slot.key.ends_with("url") {
                "https://host.example/hidden-value"
            } else {
                "hidden-value"
            }));
        }
        if let Some(email) = &mut spec.email {
            email.user = Some("koshu".to_owned());
        }
        let channel = spec.ready("test").unwrap();
        let message = write(Language::English, MessageKind::Fire, false, &[told(Class::Alert, "GET /")]);
        let outgoing = channel.render(&message, None, NOW).unwrap();
        assert!(!format!("{spec:?} {channel:?} {outgoing:?}").contains("hidden-value"), "{yaml}");
    }
    let mut with_file = spec("github: {repo: a/b, token_file: /etc/koshu/github}");
    let slots = with_file.secrets();
    assert_eq!((slots[0].key, slots[0].file.unwrap().to_str()), ("github.token", Some("/etc/koshu/github")));
}

#[test]
fn an_issue_is_found_again_by_its_mark_and_tells_who_closed_it() {
    let channel = channel(ALL[3]);
    let ticket = write(Language::English, MessageKind::Fire, false, &[told(Class::Ticket, HOSTILE)]);
    let Outgoing::Http(request) = channel.render(&ticket, None, NOW).unwrap() else { panic!() };
    let sent: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    let listed = serde_json::json!([
        {"number": 11, "state": "open", "body": "somebody's own", "closed_by": null},
        {"number": 12, "state": "closed", "body": sent["body"], "closed_by": {"login": "ann"}},
    ]);
    let found = channel.read_issues(&listed.to_string());
    let issue = IssueRef { repo: "example/shop".to_owned(), number: 12 };
    let want = IssueState { firing: firing(), issue, closed: true, closed_by: Some("ann".to_owned()) };
    assert_eq!(found, [want]);
    assert_eq!(channel.read_issues("<html>"), []);
    assert_eq!("example/shop#12".parse::<IssueRef>().unwrap().to_string(), "example/shop#12");
    let url = channel.changed_issues(NOW).unwrap().url;
    assert_eq!(url.path(), "/repos/example/shop/issues");
    assert!(url.query().unwrap().contains("since=2021-02-25T15%3A02%3A10Z"), "{url}");
    let over = write(Language::English, MessageKind::Resolve, true, &[told(Class::Ticket, "GET /")]);
    assert_eq!(channel.render(&over, None, NOW).unwrap(), Outgoing::Nothing, "no issue, nothing to close");
}
