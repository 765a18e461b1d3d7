//! Evaluation: whether a condition holds for one item, read from its encoded messages.
//!
//! Cost: each path scans its message once; nothing is decoded that no path names.

use std::borrow::Cow;

use super::error::EvaluationError;
use super::memory::Memory;
use super::subject::Subject;
use super::value::Value;
use super::{Function, Literal, Operand, Operator, Term, Test};

impl Term {
    pub(super) fn holds(
        &self,
        subject: &Subject<'_>,
        memory: &mut Memory,
    ) -> Result<bool, EvaluationError> {
        match self {
            Self::Any(terms) => any(terms, true, subject, memory),
            Self::All(terms) => any(terms, false, subject, memory).map(|is_broken| !is_broken),
            Self::Not(term) => Ok(!term.holds(subject, memory)?),
            Self::Constant(value) => Ok(*value),
            Self::Compare { left, comparison, right } => {
                left.prepare(subject, memory);
                right.prepare(subject, memory);
                let (left, right) = (left.value(subject, memory)?, right.value(subject, memory)?);
                memory.note(left.bytes_len().min(right.bytes_len()));
                Ok(left.compares(*comparison, &right))
            }
            Self::Test { target, test } => {
                target.prepare(subject, memory);
                let value = target.value(subject, memory)?;
                memory.note(value.bytes_len());
                Ok(test.holds(&value))
            }
            Self::Contains { list, item } => contains(list, item, subject, memory),
            Self::HasAttribute { key, value } => {
                Ok(subject.has_point_attribute(key, value.as_deref(), memory))
            }
            Self::Kept { slot, reach, term } => {
                let serial = reach.serial(subject.serials);
                if let Some(verdict) = memory.verdict(*slot, serial) {
                    return verdict;
                }
                let verdict = term.holds(subject, memory);
                memory.keep_verdict(*slot, serial, verdict.clone());
                verdict
            }
        }
    }
}

/// Whether one of the terms is `sought`.
fn any(
    terms: &[Term],
    sought: bool,
    subject: &Subject<'_>,
    memory: &mut Memory,
) -> Result<bool, EvaluationError> {
    for term in terms {
        if term.holds(subject, memory)? == sought {
            return Ok(true);
        }
    }
    Ok(false)
}

fn contains(
    list: &Operand,
    item: &Operand,
    subject: &Subject<'_>,
    memory: &mut Memory,
) -> Result<bool, EvaluationError> {
    list.prepare(subject, memory);
    item.prepare(subject, memory);
    let item = item.value(subject, memory)?;
    if let Operand::List(elements) = list {
        for element in elements {
            if element.value(subject, memory)?.is_equal(&item) {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    let list = list.value(subject, memory)?;
    memory.note(list.bytes_len());
    let mut elements = list.elements().ok_or_else(|| EvaluationError::Argument {
        function: "ContainsValue",
        found: list.type_name(),
    })?;
    Ok(elements.any(|element| element.is_equal(&item)))
}

impl Operand {
    /// Reads what is kept and is not of this subject, so that `value` finds it.
    fn prepare(&self, subject: &Subject<'_>, memory: &mut Memory) {
        match self {
            Self::Literal(_) | Self::Path(_) => {}
            Self::List(all) => all.iter().for_each(|operand| operand.prepare(subject, memory)),
            Self::Arithmetic { left, right, .. } => {
                left.prepare(subject, memory);
                right.prepare(subject, memory);
            }
            Self::Call { argument, .. } => argument.prepare(subject, memory),
            Self::Kept { slot, reach, operand } => {
                let serial = reach.serial(subject.serials);
                if !memory.has_value(*slot, serial) {
                    let value = operand.value(subject, memory).map(Value::into_owned);
                    memory.keep_value(*slot, serial, value);
                }
            }
        }
    }

    fn value<'a>(
        &'a self,
        subject: &Subject<'a>,
        memory: &'a Memory,
    ) -> Result<Value<'a>, EvaluationError> {
        match self {
            Self::Path(path) => subject.read(path, memory),
            Self::Literal(literal) => Ok(literal.value()),
            // A list stands only where its elements are asked for one by one.
            Self::List(_) => Ok(Value::Nil),
            Self::Arithmetic { left, operator, right } => {
                operator.apply(&left.value(subject, memory)?, &right.value(subject, memory)?)
            }
            Self::Call { function, argument } => {
                let value = argument.value(subject, memory)?;
                memory.note(value.bytes_len());
                function.apply(value)
            }
            Self::Kept { slot, .. } => memory.value(*slot),
        }
    }
}

impl Literal {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Nil => Value::Nil,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::Double(value) => Value::Double(*value),
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Bytes(bytes) => Value::Bytes(Cow::Borrowed(bytes)),
        }
    }
}

impl Operator {
    /// Whole numbers stay whole; one that does not is reckoned with as a double.
    fn apply<'a>(self, left: &Value<'_>, right: &Value<'_>) -> Result<Value<'a>, EvaluationError> {
        if let (Value::Int(left), Value::Int(right)) = (left, right) {
            let (left, right) = (*left, *right);
            return Ok(Value::Int(match self {
                Self::Add => left.wrapping_add(right),
                Self::Subtract => left.wrapping_sub(right),
                Self::Multiply => left.wrapping_mul(right),
                Self::Divide if right == 0 => return Err(EvaluationError::DivisionByZero),
                Self::Divide => left.wrapping_div(right),
            }));
        }
        let (left, right) = (double(left)?, double(right)?);
        Ok(Value::Double(match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide if right == 0.0 => return Err(EvaluationError::DivisionByZero),
            Self::Divide => left / right,
        }))
    }
}

fn double(value: &Value<'_>) -> Result<f64, EvaluationError> {
    match value {
        Value::Int(value) => Ok(*value as f64),
        Value::Double(value) => Ok(*value),
        other => Err(EvaluationError::NoNumber { found: other.type_name() }),
    }
}

impl Function {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Len => "Len",
            Self::Int => "Int",
            Self::Double => "Double",
            Self::String => "String",
            Self::LowerCase => "ToLowerCase",
            Self::UpperCase => "ToUpperCase",
        }
    }

    fn apply(self, value: Value<'_>) -> Result<Value<'_>, EvaluationError> {
        let unfit = |value: &Value<'_>| EvaluationError::Argument {
            function: self.name(),
            found: value.type_name(),
        };
        Ok(match self {
            Self::Len => {
                let len = value.len().ok_or_else(|| unfit(&value))?;
                Value::Int(i64::try_from(len).unwrap_or(i64::MAX))
            }
            Self::Int => match &value {
                Value::Int(value) => Value::Int(*value),
                Value::Double(value) => Value::Int(*value as i64),
                Value::Bool(value) => Value::Int((*value).into()),
                Value::Text(text) => text.parse().map_or(Value::Nil, Value::Int),
                _ => Value::Nil,
            },
            Self::Double => match &value {
                Value::Int(value) => Value::Double(*value as f64),
                Value::Double(value) => Value::Double(*value),
                Value::Bool(value) => Value::Double(if *value { 1.0 } else { 0.0 }),
                Value::Text(text) => text.parse().map_or(Value::Nil, Value::Double),
                _ => Value::Nil,
            },
            Self::String => match value.to_text() {
                Some(text) => Value::Text(text.into_owned().into()),
                None => Value::Nil,
            },
            Self::LowerCase | Self::UpperCase => {
                let Value::Text(text) = &value else { return Err(unfit(&value)) };
                let is_lower = self == Self::LowerCase;
                let text = if is_lower { text.to_lowercase() } else { text.to_uppercase() };
                Value::Text(text.into())
            }
        })
    }
}

impl Test {
    fn holds(&self, value: &Value<'_>) -> bool {
        match self {
            Self::Matches(regex) => value.to_text().is_some_and(|text| regex.is_match(&text)),
            Self::StartsWith(start) => {
                matches!(value, Value::Text(text) if text.starts_with(start.as_str()))
            }
            Self::EndsWith(end) => {
                matches!(value, Value::Text(text) if text.ends_with(end.as_str()))
            }
            Self::IsText => matches!(value, Value::Text(_)),
            Self::IsBool => matches!(value, Value::Bool(_)),
            Self::IsInt => matches!(value, Value::Int(_)),
            Self::IsDouble => matches!(value, Value::Double(_)),
            Self::IsMap => matches!(value, Value::Map(_)),
            Self::IsList => matches!(value, Value::List(_)),
        }
    }
}
