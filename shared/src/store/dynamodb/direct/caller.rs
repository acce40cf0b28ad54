//! A call of an operation: its request, its answers, and what is made of them.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use aws_sdk_dynamodb::config::{ConfigBag, FrozenLayer, RuntimePlugin};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::{
    batch_get_item, batch_write_item, get_item, put_item, transact_write_items, update_item,
};
use aws_smithy_runtime_api::client::interceptors::context::Input;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::ser_de::{
    DeserializeResponse, SerializeRequest, SharedRequestSerializer, SharedResponseDeserializer,
};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ProvideErrorKind;

use super::found::{self, Found};
use super::wire::{Call, Lost, Wire};

/// An operation, as the SDK has it.
pub trait Operation {
    type Input: fmt::Debug + Send + Sync + 'static;
    type Output: fmt::Debug + Send + Sync + 'static;
    type Error: StdError + ProvideErrorMetadata + ProvideErrorKind + Send + Sync + 'static;

    /// What writes its requests and reads its answers.
    fn plugin() -> Option<FrozenLayer>;
}

/// Implements [`Operation`] for operations of the SDK.
macro_rules! operations {
    ($($module:ident: $operation:ident, $input:ident, $output:ident, $error:ident;)*) => {$(
        impl Operation for $module::$operation {
            type Input = $module::$input;
            type Output = $module::$output;
            type Error = $module::$error;

            fn plugin() -> Option<FrozenLayer> {
                Self::new().config()
            }
        }
    )*};
}

operations! {
    batch_get_item: BatchGetItem, BatchGetItemInput, BatchGetItemOutput, BatchGetItemError;
    batch_write_item: BatchWriteItem, BatchWriteItemInput, BatchWriteItemOutput, BatchWriteItemError;
    get_item: GetItem, GetItemInput, GetItemOutput, GetItemError;
    put_item: PutItem, PutItemInput, PutItemOutput, PutItemError;
    transact_write_items: TransactWriteItems, TransactWriteItemsInput, TransactWriteItemsOutput,
        TransactWriteItemsError;
    update_item: UpdateItem, UpdateItemInput, UpdateItemOutput, UpdateItemError;
}

/// Why a call failed, as the SDK says it.
pub type Failure<E> = SdkError<E, HttpResponse>;

/// A request of an operation, serialized.
pub struct Serialized<O> {
    target: Cow<'static, str>,
    pub(super) body: SdkBody,
    operation: PhantomData<fn() -> O>,
}

impl<O> Serialized<O> {
    pub(super) fn new(target: Cow<'static, str>, body: SdkBody) -> Self {
        Self { target, body, operation: PhantomData }
    }
}

impl<O> fmt::Debug for Serialized<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Serialized")
    }
}

/// One operation, which can be called.
pub struct Caller<O> {
    wire: Arc<Wire>,
    plugin: Option<FrozenLayer>,
    operation: PhantomData<fn() -> O>,
}

impl<O> Clone for Caller<O> {
    fn clone(&self) -> Self {
        Self { wire: Arc::clone(&self.wire), plugin: self.plugin.clone(), operation: PhantomData }
    }
}

impl<O> fmt::Debug for Caller<O> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Caller")
    }
}

impl<O: Operation> Caller<O> {
    pub(super) fn new(wire: &Arc<Wire>) -> Self {
        Self { wire: Arc::clone(wire), plugin: O::plugin(), operation: PhantomData }
    }

    /// Makes a call, and makes it again where the SDK would.
    ///
    /// # Errors
    /// As the SDK's.
    pub async fn call(&self, input: O::Input) -> Result<O::Output, Failure<O::Error>> {
        self.send(&self.serialized(input).map_err(SdkError::construction_failure)?).await
    }

    /// Serializes a request, which can then be sent more than once.
    ///
    /// # Errors
    /// If the SDK can't.
    pub fn serialized(&self, input: O::Input) -> Result<Serialized<O>, Box<dyn StdError + Send + Sync>> {
        let writer = self.plugin.as_ref().and_then(|plugin| plugin.load::<SharedRequestSerializer>());
        let writer = writer.ok_or("the SDK's operation writes no requests")?;
        let mut request = writer.serialize_input(Input::erase(input), &mut ConfigBag::base())?;
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        Ok(Serialized::new(Cow::Owned(target), request.take_body()))
    }

    /// Makes a call of a serialized request, and makes it again where the SDK would.
    ///
    /// # Errors
    /// As the SDK's.
    pub async fn send(&self, request: &Serialized<O>) -> Result<O::Output, Failure<O::Error>> {
        self.answered(request, |_| None, |output| output).await
    }

    /// The same of a read: `slow` takes from the SDK's answer what [`Found`] has of one that is plain.
    ///
    /// # Errors
    /// As the SDK's.
    pub async fn find<T>(
        &self,
        request: &Serialized<O>,
        plain: impl Fn(Found) -> T,
        slow: impl Fn(O::Output) -> T,
    ) -> Result<T, Failure<O::Error>> {
        self.answered(request, |body| found::read(body).map(&plain), slow).await
    }

    async fn answered<T>(
        &self,
        request: &Serialized<O>,
        plain: impl Fn(&str) -> Option<T>,
        slow: impl Fn(O::Output) -> T,
    ) -> Result<T, Failure<O::Error>> {
        let call = self.wire.call(request.target.clone(), &request.body);
        let (mut attempt, mut retry) = (1, None);
        loop {
            let error = match self.attempt(&call, attempt, &plain, &slow).await {
                Ok(output) => {
                    self.wire.retries.succeeded(retry);
                    return Ok(output);
                }
                Err(error) => error,
            };
            // What has no time left is not made again, and costs nothing.
            retry = if call.is_over() { None } else { self.wire.retries.again(attempt, &error) };
            let Some(retry) = retry else { return Err(error) };
            self.wire.wait(&call, retry.wait).await.map_err(failure)?;
            attempt += 1;
        }
    }

    async fn attempt<T>(
        &self,
        call: &Call<'_>,
        number: u32,
        plain: impl Fn(&str) -> Option<T>,
        slow: impl Fn(O::Output) -> T,
    ) -> Result<T, Failure<O::Error>> {
        let answer = self.wire.attempt(call, number).await.map_err(failure)?;
        let body = answer.body().bytes().and_then(|body| str::from_utf8(body).ok());
        if let Some(found) = body.filter(|_| answer.status().as_u16() == 200).and_then(plain) {
            return Ok(found);
        }
        let reader = self.plugin.as_ref().and_then(|plugin| plugin.load::<SharedResponseDeserializer>());
        let reader = reader.ok_or_else(|| SdkError::construction_failure("the SDK's operation reads no answers"))?;
        let mut refusal = None;
        let unread = match reader.deserialize_nonstreaming_with_config(&answer, &ConfigBag::base()) {
            Ok(output) => match output.downcast() {
                Ok(output) => return Ok(slow(output)),
                Err(_) => "the answer is of another operation".into(),
            },
            Err(error) => error.map_operation_error(|error| refusal = error.downcast::<O::Error>().ok()).to_string(),
        };
        match refusal {
            Some(refusal) => Err(SdkError::service_error(refusal, answer)),
            None => Err(SdkError::response_error(unread, answer)),
        }
    }
}

fn failure<E>(lost: Lost) -> Failure<E> {
    match lost {
        Lost::Unsent(error) => SdkError::construction_failure(error),
        Lost::Connection(error) => SdkError::dispatch_failure(error),
        Lost::Broken(error, answer) => SdkError::response_error(error, *answer),
        Lost::Late => SdkError::timeout_error("no answer in time"),
    }
}
