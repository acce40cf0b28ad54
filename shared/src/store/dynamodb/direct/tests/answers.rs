//! Whatever DynamoDB or what is before it may answer.

use super::script::Event::{self, Answer, AnswerWith, Broken, Lost, Passing, Silence, TimedOut, Unsendable};

const ITEM: &str = r#"{"Item":{"pk":{"S":"a\u00e9\n"}},"Attributes":{"list":{"L":[{"N":"1"},{"BOOL":true},{"NULL":true},
    {"B":"AAEC"},{"SS":["x"]},{"M":{"in":{"S":""}}}]}},"Responses":{"table":[{"pk":{"S":"a"}},{"sk":{"N":"1.50"}}]},
    "UnprocessedKeys":{"table":{"Keys":[{"pk":{"S":"b"}}],"ConsistentRead":true}},
    "UnprocessedItems":{"table":[{"DeleteRequest":{"Key":{"pk":{"S":"b"}}}}]},"NewMember":[{"a":1}]}"#;
/// As nearly all are.
const PLAIN: &str = r#"{"Item":{"pk":{"S":"a\u00e9\n\ud83d\ude00"},
    "n":{"N":"-1.5e10"},"empty":{"S":""},"\u0061b":{"BOOL":false},"m":{"M":{}},"l":{"L":[]},"b":{"B":"AAEC"},
    "in":{"M":{"l":{"L":[{"S":"x"},{"M":{"y":{"N":"1"}}}]}}}},"Responses":{"table":[{"pk":{"S":"b"}},{}]},
    "Attributes":{"pk":{"S":"c"}},"UnprocessedKeys":{}}"#;
/// What DynamoDB does not answer, and what the SDK makes of it.
const TWICE: &str = r#"{"Item":{"pk":{"S":"a"},"pk":{"S":"b"}},"Item":{"pk":{"S":"c"}},
    "Attributes":{"n":{"N":"1","N":"2"}},
    "Responses":{"other":[{"pk":{"S":"o"}}],"table":[{"pk":{"S":"a"}}]}}"#;
const OTHER_TYPES: &str = r#"{"Item":{"s":{"SS":["a"]},"n":{"NS":["1"]},"b":{"BS":["AA=="]},"null":{"NULL":true}},
    "Attributes":{"n":{"N":1}},"Responses":{"table":[{"b":{"B":"AA"}}]}}"#;
const NULLS: &str = r#"{"Item":null,"Attributes":{"a":null,"b":{"S":null}},"Responses":{"table":null},
    "UnprocessedKeys":null}"#;
const EMPTY_VALUE: &str = r#"{"Item":{"a":{}},"Attributes":{"a":{"S":7}},"Responses":{"table":[null]}}"#;
const BEHIND: &str = r#"{"Item":{"pk":{"S":"a"}}} {}"#;
const REFUSED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
    "message":"The conditional request failed","Item":{"pk":{"S":"a"}}}"#;
const REFUSED_ABSENT: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"}"#;
const CANCELLED: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
    "Message":"Transaction cancelled","CancellationReasons":[{"Code":"None"},
    {"Code":"ConditionalCheckFailed","Message":"failed","Item":{"pk":{"S":"a"}}},{"Code":"TransactionConflict"}]}"#;
const CONFLICT: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionConflictException"}"#;
const IN_PROGRESS: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionInProgressException"}"#;
const MISMATCH: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException"}"#;
const WRONG: &str = r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"Invalid table"}"#;
const NO_TABLE: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no"}"#;
const NO_CAPACITY: &str =
    r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}"#;
const THROTTLED: &str = r#"{"__type":"com.amazon.coral.availability#ThrottlingException","message":"slow"}"#;
const LIMIT: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#RequestLimitExceeded","message":"slow"}"#;
const DOWN: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"ours"}"#;
const EXPIRED: &str = r#"{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"expired"}"#;
const UNKNOWN: &str = r#"{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"who"}"#;
const DENIED: &str = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"no"}"#;
const LATE: &str = r#"{"__type":"RequestTimeoutException","message":"late"}"#;
const TOO_LARGE: &str = r#"{"__type":"ItemCollectionSizeLimitExceededException","message":"large"}"#;
const NEW_CODE: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#BrandNewException","message":"new"}"#;
const NOT_A_TEXT: &str = r#"{"__type":7,"message":["no"]}"#;
const TRUNCATED: &str = r#"{"Item":{"pk":{"S":"a"#;
const WRONG_SHAPE: &str = r#"{"Item":[1],"Attributes":7,"Responses":"x","UnprocessedItems":3,"ConsumedCapacity":true}"#;
const TWO_TYPES: &str = r#"{"Item":{"pk":{"S":"a","N":"1"}},"Attributes":{"pk":{"X":"a"}}}"#;
const TYPE_HEADER: (&str, &str) = ("x-amzn-errortype", "ThrottlingException:http://internal.amazon.com/coral/");
const RETRY_AFTER: (&str, &str) = ("x-amz-retry-after", "3");
const REQUEST_ID: (&str, &str) = ("x-amzn-requestid", "ID");

/// Each what one call meets: the event of its first attempt, of its second, and so on.
pub const ANSWERS: &[&[Event]] = &[
    &[Answer(200, ITEM)],
    &[AnswerWith(200, REQUEST_ID, ITEM)],
    &[Answer(200, PLAIN)],
    &[Answer(200, TWICE)],
    &[Answer(200, OTHER_TYPES)],
    &[Answer(200, NULLS)],
    &[Answer(200, EMPTY_VALUE)],
    &[Answer(200, BEHIND)],
    &[Answer(200, "{}")],
    &[Answer(200, "")],
    &[Answer(200, "null")],
    &[Answer(200, "[]")],
    &[Answer(200, TRUNCATED)],
    &[Answer(200, "<html>")],
    &[Answer(200, WRONG_SHAPE)],
    &[Answer(200, TWO_TYPES)],
    &[Answer(204, "")],
    &[Answer(301, "")],
    &[Answer(400, REFUSED)],
    &[AnswerWith(400, REQUEST_ID, REFUSED)],
    &[Answer(400, REFUSED_ABSENT)],
    &[Answer(400, CANCELLED)],
    &[Answer(400, CONFLICT)],
    &[Answer(400, IN_PROGRESS), Answer(200, "{}")],
    &[Answer(400, MISMATCH)],
    &[Answer(400, WRONG)],
    &[Answer(400, NO_TABLE)],
    &[Answer(400, NO_CAPACITY)],
    &[Answer(400, NO_CAPACITY), Answer(200, ITEM)],
    &[Answer(400, NO_CAPACITY), Answer(400, NO_CAPACITY), Answer(400, REFUSED)],
    &[Answer(400, THROTTLED), Answer(200, "{}")],
    &[AnswerWith(400, RETRY_AFTER, THROTTLED), Answer(200, "{}")],
    &[AnswerWith(400, TYPE_HEADER, "{}"), Answer(200, "{}")],
    &[Answer(400, LIMIT), Answer(200, "{}")],
    &[Answer(500, DOWN)],
    &[Answer(500, DOWN), Answer(200, ITEM)],
    &[Answer(500, THROTTLED), Answer(500, DOWN), Answer(200, ITEM)],
    &[Answer(500, NEW_CODE), Answer(400, REFUSED)],
    &[Answer(502, "<html>"), Answer(200, "{}")],
    &[Answer(503, ""), Answer(503, ""), Answer(503, "")],
    &[Answer(504, "{}"), Answer(400, CANCELLED)],
    &[Answer(501, "{}")],
    &[Answer(429, "{}")],
    &[Answer(413, "")],
    &[Answer(400, EXPIRED)],
    &[Answer(400, UNKNOWN)],
    &[Answer(400, DENIED)],
    &[Answer(400, LATE), Answer(200, "{}")],
    &[Answer(400, TOO_LARGE)],
    &[Answer(400, NEW_CODE)],
    &[Answer(400, NOT_A_TEXT)],
    &[Answer(400, TRUNCATED)],
    &[Answer(403, "<html>")],
    &[Lost],
    &[Lost, Answer(200, ITEM)],
    &[Lost, Lost, Answer(400, REFUSED)],
    &[TimedOut, Answer(200, "{}")],
    &[Broken],
    &[Passing, Answer(200, "{}")],
    &[Unsendable],
    &[Silence, Answer(200, ITEM)],
    &[Silence, Answer(400, WRONG)],
    &[Silence],
];
