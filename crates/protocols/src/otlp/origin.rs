//! Where records come from: the resource and the instrumentation scope, read once for all records below them.

use super::attributes::{find, find_any, push};
use crate::observed::{Field, Refusal};
use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use std::borrow::Cow;

/// Longest text of a resource and a scope. Every record below repeats it, so a large one would multiply.
pub(super) const MAX_TEXT: usize = 64 << 10;

/// What all records of a scope have in common.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Origin {
    pub(super) service: Option<String>,
    pub(super) host: Option<String>,
    pub(super) release: Option<String>,
    pub(super) environment: Option<String>,
    /// Attributes of the resource and the scope, for logs, spans and errors.
    pub(super) fields: Vec<(String, String)>,
    /// How long the text of `fields` is.
    pub(super) text: usize,
    /// The part of `fields` that tells one series from another.
    pub(super) labels: Vec<(String, String)>,
}

impl Origin {
    pub(super) fn new(resource: Option<&Resource>, scope: Option<&InstrumentationScope>) -> Result<Self, Refusal> {
        let of_resource: &[KeyValue] = resource.map_or(&[], |resource| &resource.attributes);
        let mut fields = Vec::new();
        push(of_resource, |_| true, &mut fields)?;
        if let Some(scope) = scope {
            push_scope(scope, &mut fields)?;
        }
        let text = text_of(&fields);
        if text > MAX_TEXT {
            return Err(Refusal::TooLong);
        }
        let own = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned);
        let fields: Vec<_> = fields.into_iter().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        Ok(Self {
            service: own(find(of_resource, "service.name")),
            host: own(find(of_resource, "host.name")),
            release: own(find(of_resource, "service.version")),
            environment: own(find_any(of_resource, &["deployment.environment.name", "deployment.environment"])),
            labels: fields.iter().filter(|(name, _)| is_label(name)).cloned().collect(),
            fields,
            text,
        })
    }

    pub(super) fn service(&self) -> Option<Cow<'_, str>> {
        self.service.as_deref().map(Cow::Borrowed)
    }

    pub(super) fn host(&self) -> Option<Cow<'_, str>> {
        self.host.as_deref().map(Cow::Borrowed)
    }
}

/// How long the text of fields is.
pub(super) fn text_of(fields: &[Field<'_>]) -> usize {
    fields.iter().map(|(name, value)| name.len() + value.len()).sum()
}

fn push_scope<'a>(scope: &'a InstrumentationScope, fields: &mut Vec<Field<'a>>) -> Result<(), Refusal> {
    for (name, value) in [("otel.scope.name", &scope.name), ("otel.scope.version", &scope.version)] {
        if !value.is_empty() {
            fields.push((Cow::Borrowed(name), Cow::Borrowed(value)));
        }
    }
    let from = fields.len();
    push(&scope.attributes, |_| true, fields)?;
    for (name, _) in &mut fields[from..] {
        *name = Cow::Owned(format!("otel.scope.{name}"));
    }
    Ok(())
}

/// Whether an attribute of a resource says which instance a series comes from (`service.instance.id`, `process.pid`,
/// `k8s.pod.name`, `postgresql.table.name`), rather than what software it runs: a new version must not begin all
/// series anew. Service and host have columns of their own.
fn is_label(name: &str) -> bool {
    const OF_SOFTWARE: [&str; 8] = [
        "telemetry.",
        "process.runtime.",
        "process.command",
        "process.executable.path",
        "os.",
        "host.",
        "service.version",
        "otel.scope.version",
    ];
    name != "service.name" && !OF_SOFTWARE.iter().any(|prefix| name.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry_proto::tonic::common::v1::AnyValue;
    use opentelemetry_proto::tonic::common::v1::any_value::Value;

    fn attributes(pairs: &[(&str, &str)]) -> Vec<KeyValue> {
        let value = |text: &str| Some(AnyValue { value: Some(Value::StringValue(text.to_owned())) });
        pairs
            .iter()
            .map(|(key, text)| KeyValue { key: (*key).to_owned(), value: value(text), ..KeyValue::default() })
            .collect()
    }

    #[test]
    fn a_resource_names_the_place_and_a_scope_the_library() {
        let resource = Resource {
            attributes: attributes(&[
                ("service.name", "shop"),
                ("service.version", "1.4"),
                ("service.instance.id", "i-1"),
                ("host.name", "web-1"),
                ("deployment.environment", "old"),
                ("deployment.environment.name", "production"),
                ("telemetry.sdk.name", "opentelemetry"),
            ]),
            ..Resource::default()
        };
        let scope = InstrumentationScope {
            name: "django".to_owned(),
            attributes: attributes(&[("team", "web")]),
            ..InstrumentationScope::default()
        };
        let origin = Origin::new(Some(&resource), Some(&scope)).unwrap();
        assert_eq!(origin.service.as_deref(), Some("shop"));
        assert_eq!(origin.host.as_deref(), Some("web-1"));
        assert_eq!(origin.release.as_deref(), Some("1.4"));
        assert_eq!(origin.environment.as_deref(), Some("production"));
        assert_eq!(origin.fields.len(), 9);
        let labels: Vec<_> = origin.labels.iter().map(|(name, _)| name.as_str()).collect();
        let want = [
            "service.instance.id",
            "deployment.environment",
            "deployment.environment.name",
            "otel.scope.name",
            "otel.scope.team",
        ];
        assert_eq!(labels, want);
        assert_eq!(Origin::new(None, None), Ok(Origin::default()));
    }

    #[test]
    fn a_resource_that_would_multiply_is_refused() {
        let long = "x".repeat(MAX_TEXT);
        let resource = Resource { attributes: attributes(&[("a", &long)]), ..Resource::default() };
        assert_eq!(Origin::new(Some(&resource), None), Err(Refusal::TooLong));
    }
}
