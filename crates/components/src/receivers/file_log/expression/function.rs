//! Function: what can be called by name.

use super::Value;
use super::term::Term;

macro_rules! functions {
    ($($variant:ident, $name:literal, $arguments:literal;)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Function {
            $($variant,)*
        }

        const FUNCTIONS: &[(Function, &str, usize)] =
            &[$((Function::$variant, $name, $arguments),)*];
    };
}

functions! {
    Len, "len", 1;
    Lower, "lower", 1;
    Upper, "upper", 1;
    Trim, "trim", 1;
    TrimPrefix, "trimPrefix", 2;
    TrimSuffix, "trimSuffix", 2;
    HasPrefix, "hasPrefix", 2;
    HasSuffix, "hasSuffix", 2;
    IndexOf, "indexOf", 2;
    Split, "split", 2;
    Join, "join", 2;
    Replace, "replace", 3;
    Int, "int", 1;
    Float, "float", 1;
    String, "string", 1;
    Type, "type", 1;
}

impl Function {
    pub(super) fn named(name: &str) -> Option<Self> {
        FUNCTIONS.iter().find(|(_, own, _)| *own == name).map(|(function, _, _)| *function)
    }

    pub(super) fn names() -> impl Iterator<Item = &'static str> {
        FUNCTIONS.iter().map(|(_, name, _)| *name)
    }

    pub(super) fn arguments(self) -> usize {
        FUNCTIONS.iter().find(|(own, _, _)| *own == self).map_or(0, |(_, _, count)| *count)
    }

    pub(super) fn call<'e>(self, arguments: &[Term<'e>]) -> Result<Term<'e>, String> {
        let text = |at: usize| arguments[at].as_text();
        let owned = |text: &str| Ok(Term::Text(text.to_owned().into()));
        match self {
            Self::Len => length(&arguments[0]),
            Self::Lower => owned(&text(0)?.to_lowercase()),
            Self::Upper => owned(&text(0)?.to_uppercase()),
            Self::Trim => owned(text(0)?.trim()),
            Self::TrimPrefix => owned(text(0)?.strip_prefix(text(1)?).unwrap_or(text(0)?)),
            Self::TrimSuffix => owned(text(0)?.strip_suffix(text(1)?).unwrap_or(text(0)?)),
            Self::HasPrefix => Ok(Term::Bool(text(0)?.starts_with(text(1)?))),
            Self::HasSuffix => Ok(Term::Bool(text(0)?.ends_with(text(1)?))),
            Self::IndexOf => {
                let at = text(0)?.find(text(1)?);
                Ok(Term::Int(at.and_then(|at| i64::try_from(at).ok()).unwrap_or(-1)))
            }
            Self::Split => {
                let parts: Vec<_> = text(0)?.split(text(1)?).map(Value::from).collect();
                Ok(Term::List(parts.into()))
            }
            Self::Join => join(&arguments[0], text(1)?),
            Self::Replace => owned(&text(0)?.replace(text(1)?, text(2)?)),
            Self::Int => int(&arguments[0]).map(Term::Int),
            Self::Float => float(&arguments[0]).map(Term::Double),
            Self::String => owned(&arguments[0].clone().into_value().to_string()),
            Self::Type => owned(type_name(&arguments[0])),
        }
    }
}

fn length<'e>(of: &Term<'e>) -> Result<Term<'e>, String> {
    let len = match of {
        Term::Text(text) => text.chars().count(),
        Term::Bytes(bytes) => bytes.len(),
        Term::List(list) => list.len(),
        Term::Map(map) => map.len(),
        other => return Err(format!("{} has no length", other.kind())),
    };
    Ok(Term::Int(i64::try_from(len).unwrap_or(i64::MAX)))
}

fn join<'e>(of: &Term<'e>, with: &str) -> Result<Term<'e>, String> {
    let Term::List(list) = of else {
        return Err(format!("a list is needed, found {}", of.kind()));
    };
    let texts: Result<Vec<&str>, _> =
        list.iter().map(|value| value.as_text().ok_or("a list of texts is needed")).collect();
    Ok(Term::Text(texts?.join(with).into()))
}

fn int(of: &Term<'_>) -> Result<i64, String> {
    match of {
        Term::Int(value) => Ok(*value),
        Term::Double(value) => Ok(*value as i64),
        Term::Text(text) => text.parse().map_err(|_| format!("`{text}` is no whole number")),
        other => Err(format!("{} is no number", other.kind())),
    }
}

fn float(of: &Term<'_>) -> Result<f64, String> {
    match of {
        Term::Int(value) => Ok(*value as f64),
        Term::Double(value) => Ok(*value),
        Term::Text(text) => text.parse().map_err(|_| format!("`{text}` is no number")),
        other => Err(format!("{} is no number", other.kind())),
    }
}

fn type_name(of: &Term<'_>) -> &'static str {
    match of {
        Term::Nil => "nil",
        Term::Bool(_) => "bool",
        Term::Int(_) => "int",
        Term::Double(_) => "float",
        Term::Text(_) => "string",
        Term::Bytes(_) | Term::List(_) => "array",
        Term::Map(_) => "map",
    }
}
