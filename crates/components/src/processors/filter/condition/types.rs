//! Types: what is known at start about the values in a condition.

use super::path::ValueType;
use super::{Comparison, Function, Literal, Operand};

/// Refuses comparisons that can never hold.
pub(super) fn check_types(
    left: &Operand,
    comparison: Comparison,
    right: &Operand,
) -> Result<(), String> {
    let (Some(left), Some(right)) = (type_of(left), type_of(right)) else {
        let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        return match is_equality {
            true => Ok(()),
            false => Err("`nil` is neither less nor greater than anything".to_owned()),
        };
    };
    if left == right || left == ValueType::Any || right == ValueType::Any {
        return Ok(());
    }
    let words = |of: ValueType| match of {
        ValueType::Any => "anything",
        ValueType::Bool => "a boolean",
        ValueType::Number => "a number",
        ValueType::Text => "a string",
        ValueType::Bytes => "bytes",
    };
    Err(format!("{} is compared with {}", words(left), words(right)))
}

/// The type of a value, as far as it is known at start. `None` is `nil`.
pub(super) fn type_of(operand: &Operand) -> Option<ValueType> {
    Some(match operand {
        Operand::Path(path) if path.keys.is_empty() => path.value_type(),
        Operand::Path(_) | Operand::List(_) => ValueType::Any,
        Operand::Arithmetic { .. } => ValueType::Number,
        Operand::Call { function, .. } => match function {
            Function::Len => ValueType::Number,
            Function::LowerCase | Function::UpperCase => ValueType::Text,
            // These are nil where there is no such number or text.
            Function::Int | Function::Double | Function::String => ValueType::Any,
        },
        Operand::Kept { operand, .. } => return type_of(operand),
        Operand::Literal(Literal::Nil) => return None,
        Operand::Literal(Literal::Bool(_)) => ValueType::Bool,
        Operand::Literal(Literal::Int(_) | Literal::Double(_)) => ValueType::Number,
        Operand::Literal(Literal::Text(_)) => ValueType::Text,
        Operand::Literal(Literal::Bytes(_)) => ValueType::Bytes,
    })
}
