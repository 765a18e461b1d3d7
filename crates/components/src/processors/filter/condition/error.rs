//! Error: why a condition has no answer for an item.

/// A condition could not be evaluated for an item.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum EvaluationError {
    /// A path met a value that it cannot look into.
    #[error("look up {key} in a value that is {found}")]
    LookUp { key: String, found: &'static str },
    /// A function was called with a value that it knows nothing about.
    #[error("call `{function}` with a value that is {found}")]
    Argument { function: &'static str, found: &'static str },
    /// Only numbers can be reckoned with.
    #[error("reckon with a value that is {found}")]
    NoNumber { found: &'static str },
    #[error("divide by zero")]
    DivisionByZero,
    /// Profiles that all point to the same large entries ask to read them again and again.
    #[error("read more of the dictionary than the size of the request allows")]
    TooCostly,
}
