//! What a call needs in IAM, and whether a function's statements allow it.
//!
//! The template's policies are enforced so that a missing permission fails in a test and not after a deployment.

use serde_json::Value;

use crate::template::{ACCOUNT, PARTITION, REGION};

/// A policy statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// `Effect: Allow`; otherwise it denies.
    pub allow: bool,
    /// Actions, where `*` and `?` are wildcards.
    pub actions: Vec<String>,
    /// Resource ARNs, where `*` and `?` are wildcards.
    pub resources: Vec<String>,
    /// The items of the call for which it applies; all, if there is no such condition.
    pub leading_keys: Option<LeadingKeys>,
}

/// `ForAnyValue:StringLike` on `dynamodb:LeadingKeys`, that some item of the call has such a partition key; or
/// `ForAllValues:StringLike`, that all of them have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadingKeys {
    /// Whether all items have to have one.
    pub all: bool,
    /// The table's partition key attribute.
    pub attribute: String,
    /// Its values, where `*` and `?` are wildcards.
    pub patterns: Vec<String>,
}

impl LeadingKeys {
    fn apply(&self, need: &Need) -> bool {
        let values = need.items.iter().filter_map(|item| item.get(&self.attribute)?.get("S")?.as_str());
        let fits = |value: &str| self.patterns.iter().any(|pattern| glob(pattern, value));
        if self.all { values.into_iter().all(fits) } else { values.into_iter().any(fits) }
    }
}

/// One action on one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Need {
    pub(crate) action: String,
    pub(crate) resource: String,
    /// Keys of the items that it is about, or the items.
    pub(crate) items: Vec<Value>,
}

/// Whether the statements allow it: some statement does, and none denies.
pub(crate) fn permitted(statements: &[Statement], need: &Need) -> bool {
    let applies = |statement: &&Statement| {
        statement.actions.iter().any(|action| glob(&action.to_ascii_lowercase(), &need.action.to_ascii_lowercase()))
            && statement.resources.iter().any(|resource| glob(resource, &need.resource))
            && statement.leading_keys.as_ref().is_none_or(|keys| keys.apply(need))
    };
    let mut allowed = false;
    for statement in statements.iter().filter(applies) {
        if !statement.allow {
            return false;
        }
        allowed = true;
    }
    allowed
}

/// What a DynamoDB call needs. A transaction is authorised by the actions of its parts, a query on the index.
pub(crate) fn dynamodb_needs(operation: &str, request: &Value) -> Vec<Need> {
    let need = |action: &str, table: &Value| Need {
        action: format!("dynamodb:{action}"),
        resource: table_arn(table.as_str().unwrap_or_default()),
        items: Vec::new(),
    };
    let items = |part: &Value| [part.get("Key"), part.get("Item")].into_iter().flatten().cloned().collect();
    let parts = |key: &str| request.get(key).and_then(Value::as_array).into_iter().flatten();
    match operation {
        "TransactWriteItems" | "TransactGetItems" => parts("TransactItems")
            .filter_map(Value::as_object)
            .flatten()
            .map(|(kind, part)| {
                let action = match kind.as_str() {
                    "ConditionCheck" => "ConditionCheckItem".to_owned(),
                    other => format!("{other}Item"),
                };
                Need { items: items(part), ..need(&action, part.get("TableName").unwrap_or(&Value::Null)) }
            })
            .collect(),
        "BatchGetItem" | "BatchWriteItem" => {
            let tables = request.get("RequestItems").and_then(Value::as_object).into_iter().flatten();
            let all = |requests: &Value| match requests.get("Keys") {
                Some(keys) => keys.as_array().cloned().unwrap_or_default(),
                None => requests
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_object)
                    .flat_map(|request| request.values().flat_map(items).collect::<Vec<_>>())
                    .collect(),
            };
            let needed = |(table, requests): (&String, &Value)| Need {
                items: all(requests),
                ..need(operation, &Value::from(table.as_str()))
            };
            tables.map(needed).collect()
        }
        "DescribeStream" | "GetRecords" | "GetShardIterator" => {
            let stream = request.get("StreamArn").and_then(Value::as_str).unwrap_or("*");
            vec![Need { action: format!("dynamodb:{operation}"), resource: stream.to_owned(), items: Vec::new() }]
        }
        "ListStreams" => {
            let mut need = need(operation, request.get("TableName").unwrap_or(&"*".into()));
            need.resource.push_str("/stream/*");
            vec![need]
        }
        _ => match request.get("TableName") {
            Some(table) => {
                let mut need = Need { items: items(request), ..need(operation, table) };
                if let Some(index) = request.get("IndexName").and_then(Value::as_str) {
                    need.resource.push_str("/index/");
                    need.resource.push_str(index);
                }
                vec![need]
            }
            None => vec![Need { resource: "*".to_owned(), ..need(operation, &Value::Null) }],
        },
    }
}

/// What a Secrets Manager call needs. `arn_of` finds the ARN of an existing secret by its name or ARN.
pub(crate) fn secrets_needs(
    operation: &str,
    request: &Value,
    arn_of: impl FnOnce(&str) -> Option<String>,
) -> Vec<Need> {
    let text = |key: &str| request.get(key).and_then(Value::as_str);
    let resource = match (text("SecretId"), text("Name")) {
        (Some(id), _) => arn_of(id).unwrap_or_else(|| secret_arn(id)),
        (None, Some(name)) => secret_arn(name),
        (None, None) => "*".to_owned(),
    };
    let need = |action: &str| Need {
        action: format!("secretsmanager:{action}"),
        resource: resource.clone(),
        items: Vec::new(),
    };
    let mut needs = vec![need(operation)];
    // Tags in the same call are a right of their own.
    let tagged = request.get("Tags").and_then(Value::as_array).is_some_and(|tags| !tags.is_empty());
    if operation == "CreateSecret" && tagged {
        needs.push(need("TagResource"));
    }
    needs
}

fn table_arn(table: &str) -> String {
    if table.starts_with("arn:") {
        table.to_owned()
    } else {
        format!("arn:{PARTITION}:dynamodb:{REGION}:{ACCOUNT}:table/{table}")
    }
}

/// The ARN of a secret that does not exist: any suffix will do, as long as a policy's `-??????` covers it.
fn secret_arn(id: &str) -> String {
    if id.starts_with("arn:") {
        id.to_owned()
    } else {
        format!("arn:{PARTITION}:secretsmanager:{REGION}:{ACCOUNT}:secret:{id}-000000")
    }
}

/// `*` is any text, `?` any one character.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut seen) = (0, 0);
    // Where to resume when what follows the last `*` does not match: the star swallows one character more.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(character) = text.get(seen) {
        match (pattern.get(at), retry) {
            (Some('*'), _) => {
                retry = Some((at + 1, seen));
                at += 1;
            }
            (Some(expected), _) if *expected == '?' || expected == character => {
                at += 1;
                seen += 1;
            }
            (_, Some((after_star, swallowed))) => {
                at = after_star;
                seen = swallowed + 1;
                retry = Some((after_star, seen));
            }
            (_, None) => return false,
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{LeadingKeys, Need, Statement, dynamodb_needs, glob, permitted, secrets_needs};

    fn allow(actions: &[&str], resources: &[&str]) -> Statement {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Statement { allow: true, actions: texts(actions), resources: texts(resources), leading_keys: None }
    }

    fn need(action: &str, resource: &str) -> Need {
        Need { action: action.to_owned(), resource: resource.to_owned(), items: Vec::new() }
    }

    #[test]
    fn wildcards() {
        for (pattern, text, expected) in [
            ("a:b", "a:b", true),
            ("a:b", "a:bc", false),
            ("a:*", "a:", true),
            ("a:*c", "a:bcbc", true),
            ("a:*c", "a:bcb", false),
            ("*x*y", "axbxcy", true),
            ("s-??????", "s-AbCdEf", true),
            ("s-??????", "s-AbCdE", false),
            ("", "a", false),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_deny_wins_and_nothing_is_allowed_by_default() {
        let mut deny = allow(&["dynamodb:*"], &["*"]);
        deny.allow = false;
        let get = need("dynamodb:GetItem", "arn:t");
        assert!(!permitted(&[], &get));
        assert!(permitted(&[allow(&["DynamoDB:getitem"], &["arn:t"])], &get));
        assert!(!permitted(&[allow(&["dynamodb:GetItem"], &["arn:t/index/i"])], &get));
        assert!(!permitted(&[allow(&["dynamodb:GetItem"], &["arn:t"]), deny], &get));
    }

    #[test]
    fn an_allow_by_leading_keys_is_for_calls_of_which_all_items_have_such_keys() {
        let keys = LeadingKeys { all: true, attribute: "pk".to_owned(), patterns: vec!["CONSOLE#*".to_owned()] };
        let statements = [Statement { leading_keys: Some(keys), ..allow(&["dynamodb:*"], &["*"]) }];
        let key = |pk: &str| json!({ "pk": { "S": pk } });
        for (keys, expected) in
            [(&["CONSOLE#a"][..], true), (&["TENANT#a"], false), (&["CONSOLE#a", "TENANT#a"], false)]
        {
            let keys: Vec<_> = keys.iter().map(|pk| key(pk)).collect();
            let request = json!({ "RequestItems": { "t": { "Keys": keys } } });
            let needs = dynamodb_needs("BatchGetItem", &request);
            assert_eq!(needs.iter().all(|need| permitted(&statements, need)), expected, "{keys:?}");
        }
    }

    #[test]
    fn a_deny_by_leading_keys_is_for_the_items_with_such_keys_in_every_kind_of_write() {
        let keys = LeadingKeys { all: false, attribute: "pk".to_owned(), patterns: vec!["AUDIT#*".to_owned()] };
        let all = allow(&["dynamodb:*"], &["*"]);
        let deny = Statement { allow: false, leading_keys: Some(keys), ..all.clone() };
        let statements = [all, deny];
        for (pk, expected) in [("AUDIT#a", false), ("TENANT#a", true)] {
            let key = json!({ "pk": { "S": pk }, "sk": { "S": "AUDIT#" } });
            let other = json!({ "pk": { "S": "other" } });
            for (operation, request) in [
                ("PutItem", json!({ "TableName": "t", "Item": key })),
                ("UpdateItem", json!({ "TableName": "t", "Key": key })),
                (
                    "TransactWriteItems",
                    json!({ "TransactItems": [
                    { "Put": { "TableName": "t", "Item": other } }, { "Delete": { "TableName": "t", "Key": key } },
                ] }),
                ),
                (
                    "BatchWriteItem",
                    json!({ "RequestItems": { "t": [
                    { "PutRequest": { "Item": other } }, { "DeleteRequest": { "Key": key } },
                ] } }),
                ),
                ("BatchGetItem", json!({ "RequestItems": { "t": { "Keys": [other, key] } } })),
            ] {
                let needs = dynamodb_needs(operation, &request);
                assert_eq!(needs.iter().all(|need| permitted(&statements, need)), expected, "{operation} {pk}");
            }
        }
    }

    #[test]
    fn a_query_on_an_index_needs_the_index() {
        let needs = dynamodb_needs("Query", &json!({"TableName": "t", "IndexName": "i"}));
        assert_eq!(needs, [need("dynamodb:Query", "arn:aws:dynamodb:us-east-1:123456789012:table/t/index/i")]);
    }

    #[test]
    fn a_transaction_needs_the_actions_of_its_parts() {
        let request = json!({"TransactItems": [
            {"Put": {"TableName": "t"}}, {"ConditionCheck": {"TableName": "t"}}, {"Update": {"TableName": "u"}},
        ]});
        let actions: Vec<_> = dynamodb_needs("TransactWriteItems", &request).into_iter().map(|n| n.action).collect();
        assert_eq!(actions, ["dynamodb:PutItem", "dynamodb:ConditionCheckItem", "dynamodb:UpdateItem"]);
        let batch = dynamodb_needs("BatchGetItem", &json!({"RequestItems": {"t": {"Keys": []}}}));
        assert_eq!(batch[0].action, "dynamodb:BatchGetItem");
    }

    #[test]
    fn a_secret_is_known_by_its_arn() {
        let prefix = "arn:aws:secretsmanager:us-east-1:123456789012:secret:app/x";
        let known =
            secrets_needs("GetSecretValue", &json!({"SecretId": "app/x"}), |_| Some(format!("{prefix}-AbCdEf")));
        assert_eq!(known, [need("secretsmanager:GetSecretValue", &format!("{prefix}-AbCdEf"))]);
        let create = secrets_needs("CreateSecret", &json!({"Name": "app/x", "Tags": [{"Key": "k"}]}), |_| None);
        assert_eq!(create.len(), 2);
        assert!(permitted(
            &[allow(&["secretsmanager:CreateSecret"], &["arn:aws:secretsmanager:us-east-1:123456789012:secret:app/*"])],
            &create[0]
        ));
    }
}
