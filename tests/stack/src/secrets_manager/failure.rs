//! Errors in the shape of the AWS JSON protocol.

use serde_json::{Value, json};

/// Why a call was refused. The message never contains a secret's value.
pub(super) struct Failure {
    code: &'static str,
    message: String,
}

impl Failure {
    const INTERNAL: &'static str = "InternalServiceError";

    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    /// The value of a parameter does not fit the request.
    pub(super) fn parameter(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    /// The request does not fit the state of the secret.
    pub(super) fn request(message: impl Into<String>) -> Self {
        Self::new("InvalidRequestException", message)
    }

    /// A parameter breaks a constraint of the API's model.
    pub(super) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", message)
    }

    /// The same, in the words that AWS uses for every such parameter.
    pub(super) fn constraint(field: &str, constraint: &str) -> Self {
        Self::validation(format!(
            "1 validation error detected: Value at '{field}' failed to satisfy constraint: {constraint}"
        ))
    }

    /// Something by that id exists and is not the same.
    pub(super) fn exists(message: impl Into<String>) -> Self {
        Self::new("ResourceExistsException", message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new("ResourceNotFoundException", message)
    }

    pub(super) fn secret_not_found() -> Self {
        Self::not_found("Secrets Manager can't find the specified secret.")
    }

    pub(super) fn scheduled_for_deletion() -> Self {
        Self::request("You can't perform this operation on the secret because it was marked for deletion.")
    }

    pub(super) fn limit(message: impl Into<String>) -> Self {
        Self::new("LimitExceededException", message)
    }

    pub(super) fn next_token() -> Self {
        Self::new("InvalidNextTokenException", "The NextToken value is invalid.")
    }

    /// The body is not JSON or has a member of the wrong type. Says no more: the parser's own words can quote the body.
    pub(super) fn serialization() -> Self {
        Self::new("SerializationException", "The request body is not valid for this operation.")
    }

    pub(super) fn unknown_operation(operation: &str) -> Self {
        Self::new("UnknownOperationException", format!("The operation '{operation}' is not known."))
    }

    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(Self::INTERNAL, message)
    }

    pub(super) fn status(&self) -> u16 {
        if self.code == Self::INTERNAL { 500 } else { 400 }
    }

    pub(super) fn body(&self) -> Value {
        json!({ "__type": self.code, "Message": self.message })
    }
}
