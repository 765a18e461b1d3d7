//! Evaluate: the value of an expression for an entry, or why it has none.

use std::borrow::Cow;

use super::term::Term;
use super::{Entry, Node, Operator, Variable};

impl Node {
    pub(super) fn evaluate<'e>(&'e self, entry: &'e Entry) -> Result<Term<'e>, String> {
        Ok(match self {
            Self::Literal(value) => Term::of(value),
            Self::Variable(variable) => variable.of(entry),
            Self::List(nodes) => {
                let values = nodes.iter().map(|node| node.evaluate(entry).map(Term::into_value));
                Term::List(values.collect::<Result<Vec<_>, _>>()?.into())
            }
            Self::Member { of, key, is_optional } => {
                let of = of.evaluate(entry)?;
                if *is_optional && matches!(of, Term::Nil) {
                    return Ok(Term::Nil);
                }
                let key = key.evaluate(entry)?;
                return of.member(&key);
            }
            Self::Not(node) => Term::Bool(!node.evaluate(entry)?.into_bool()?),
            Self::Negative(node) => match node.evaluate(entry)? {
                Term::Int(value) => Term::Int(value.wrapping_neg()),
                Term::Double(value) => Term::Double(-value),
                other => return Err(format!("{} has no sign", other.kind())),
            },
            Self::Matches(node, regex) => {
                Term::Bool(regex.is_match(node.evaluate(entry)?.as_text()?))
            }
            Self::Binary(operator, sides) => return binary(*operator, sides, entry),
            Self::Choice(parts) => {
                let [condition, then, otherwise] = parts.as_ref();
                return match condition.evaluate(entry)?.into_bool()? {
                    true => then.evaluate(entry),
                    false => otherwise.evaluate(entry),
                };
            }
            Self::Call(function, arguments) => {
                let arguments = arguments.iter().map(|node| node.evaluate(entry));
                return function.call(&arguments.collect::<Result<Vec<_>, _>>()?);
            }
        })
    }
}

impl Variable {
    fn of(self, entry: &Entry) -> Term<'_> {
        match self {
            Self::Body => Term::of(&entry.body),
            Self::Attributes => Term::Map(Cow::Borrowed(&entry.attributes)),
            Self::Resource => Term::Map(Cow::Borrowed(&entry.resource)),
            Self::SeverityText => Term::Text(entry.severity_text.as_str().into()),
            Self::SeverityNumber => Term::Int(entry.severity_number.into()),
            Self::Timestamp => Term::Int(entry.time_unix_nano.cast_signed()),
        }
    }
}

fn binary<'e>(
    operator: Operator,
    sides: &'e [Node; 2],
    entry: &'e Entry,
) -> Result<Term<'e>, String> {
    let [left, right] = sides;
    let left = left.evaluate(entry)?;
    let is_decided = match (operator, &left) {
        (Operator::Coalesce, left) => !matches!(left, Term::Nil),
        (Operator::And, Term::Bool(left)) => !left,
        (Operator::Or, Term::Bool(left)) => *left,
        _ => false,
    };
    if is_decided {
        return Ok(left);
    }
    let right = right.evaluate(entry)?;
    let holds = match operator {
        Operator::Coalesce => return Ok(right),
        Operator::And => left.into_bool()? && right.into_bool()?,
        Operator::Or => left.into_bool()? || right.into_bool()?,
        Operator::Equal => left.is_equal(&right),
        Operator::NotEqual => !left.is_equal(&right),
        Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
            compare(operator, &left, &right)?
        }
        Operator::In => is_in(&left, &right)?,
        Operator::Contains => left.as_text()?.contains(right.as_text()?),
        Operator::StartsWith => left.as_text()?.starts_with(right.as_text()?),
        Operator::EndsWith => left.as_text()?.ends_with(right.as_text()?),
        _ => return calculate(operator, &left, &right),
    };
    Ok(Term::Bool(holds))
}

fn compare(operator: Operator, left: &Term<'_>, right: &Term<'_>) -> Result<bool, String> {
    let is_comparable = matches!(
        (left, right),
        (Term::Int(_) | Term::Double(_), Term::Int(_) | Term::Double(_))
            | (Term::Text(_), Term::Text(_))
    );
    if !is_comparable {
        return Err(format!("{} and {} have no order", left.kind(), right.kind()));
    }
    // What is not a number is neither less nor greater.
    let Some(ordering) = left.ordering(right) else { return Ok(false) };
    Ok(match operator {
        Operator::Less => ordering.is_lt(),
        Operator::LessOrEqual => ordering.is_le(),
        Operator::Greater => ordering.is_gt(),
        _ => ordering.is_ge(),
    })
}

fn is_in(left: &Term<'_>, right: &Term<'_>) -> Result<bool, String> {
    match (left, right) {
        (_, Term::Nil) => Ok(false),
        (left, Term::List(list)) => Ok(list.iter().any(|value| Term::of(value).is_equal(left))),
        (Term::Text(key), Term::Map(map)) => Ok(map.contains_key(key.as_ref())),
        (_, other) => Err(format!("nothing can be `in` {}", other.kind())),
    }
}

fn calculate<'e>(
    operator: Operator,
    left: &Term<'e>,
    right: &Term<'e>,
) -> Result<Term<'e>, String> {
    if let (Operator::Add, Term::Text(left), Term::Text(right)) = (operator, left, right) {
        return Ok(Term::Text(format!("{left}{right}").into()));
    }
    let doubles = |term: &Term<'_>| match term {
        Term::Int(value) => Ok(*value as f64),
        Term::Double(value) => Ok(*value),
        other => Err(format!("{} is no number", other.kind())),
    };
    let (a, b) = (doubles(left)?, doubles(right)?);
    if let (Term::Int(left), Term::Int(right)) = (left, right) {
        match operator {
            Operator::Add => return Ok(Term::Int(left.wrapping_add(*right))),
            Operator::Subtract => return Ok(Term::Int(left.wrapping_sub(*right))),
            Operator::Multiply => return Ok(Term::Int(left.wrapping_mul(*right))),
            Operator::Modulo => {
                let rest = left.checked_rem(*right);
                return rest.map(Term::Int).ok_or_else(|| "division by zero".to_owned());
            }
            _ => {}
        }
    }
    Ok(Term::Double(match operator {
        Operator::Add => a + b,
        Operator::Subtract => a - b,
        Operator::Multiply => a * b,
        Operator::Divide => a / b,
        Operator::Power => a.powf(b),
        _ => return Err("only whole numbers have a remainder".to_owned()),
    }))
}
