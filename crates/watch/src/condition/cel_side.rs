//! Evaluation by the CEL interpreter, for what is more than comparisons.

use super::Request;
use super::check::{NULL_PREFIX, Variable};
use cel::common::types::{CelBool, CelDouble, CelInt, CelString};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::parser::Expression;
use cel::{Context, Env, Value};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// A checked expression, for the interpreter.
pub(super) struct Interpreted {
    expression: Expression,
}

/// What the expression reads of one request. What the request does not say is not declared, which makes every
/// comparison with it an error, and an error is what CEL's `&&` and `||` treat as "not known".
struct Fields<'a>(&'a Request<'a>);

fn number(value: u64) -> CowVal<'static, 'static> {
    CowVal::owned(CelInt::from(i64::try_from(value).unwrap_or(i64::MAX)))
}

fn text(value: &str) -> CowVal<'_, '_> {
    CowVal::owned(CelString::from(value))
}

impl VariableResolver for Fields<'_> {
    fn resolve<'b>(&'b self, name: &str) -> Option<CowVal<'b, 'b>> {
        let request = self.0;
        if let Some(name) = name.strip_prefix(NULL_PREFIX) {
            let unknown = match Variable::named(name)? {
                Variable::Duration => request.duration_us.is_none(),
                Variable::Host => request.host.is_none(),
                Variable::UserAgent => request.user_agent.is_none(),
                Variable::Bytes => request.bytes.is_none(),
                Variable::Status
                | Variable::Method
                | Variable::Route
                | Variable::Path
                | Variable::Service
                | Variable::Attrs => false,
            };
            return Some(CowVal::owned(CelBool::from(unknown)));
        }
        Some(match Variable::named(name)? {
            Variable::Status => number(u64::from(request.status)),
            Variable::Duration => CowVal::owned(CelDouble::from(request.duration_us? as f64 / 1000.0)),
            Variable::Bytes => number(request.bytes?),
            Variable::Method => text(request.method),
            Variable::Route => text(request.route),
            Variable::Path => text(request.path),
            Variable::Host => text(request.host?),
            Variable::UserAgent => text(request.user_agent?),
            Variable::Service => text(request.service),
            Variable::Attrs => {
                let map: HashMap<String, String> =
                    request.attrs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
                let value: Result<Box<dyn Val>, _> = Value::from(map).try_into();
                CowVal::Owned(value.ok()?)
            }
        })
    }
}

impl Interpreted {
    pub(super) fn new(expression: Expression) -> Self {
        Self { expression }
    }

    pub(super) fn eval(&self, request: &Request<'_>) -> Option<bool> {
        static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));
        let fields = Fields(request);
        let mut context = Context::with_env(Arc::clone(&ENV));
        context.set_variable_resolver(&fields);
        match Value::resolve(&self.expression, &context) {
            Ok(Value::Bool(holds)) => Some(holds),
            Ok(_) | Err(_) => None,
        }
    }
}
