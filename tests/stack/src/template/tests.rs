//! The reading of a template that uses what ours may use.

mod streams;

use std::collections::BTreeMap;

use serde_json::json;

use super::{Api, Locals, Route, Source, Template, Throttle};

const TEMPLATE: &str = r#"
Parameters:
  Stage: { Type: String, Default: dev }
  Memory: { Type: Number, Default: 256 }
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  NotProd: !Not [!Condition IsProd]
Globals:
  Function:
    Timeout: 10
    MemorySize: !Ref Memory
    Environment:
      Variables:
        TABLE: !Ref Table
        ADMIN: !Ref AdminKey
        KEY: !Sub "<{{resolve:secretsmanager:${AdminKey}:SecretString:current}}>"
        PREFIX: !Sub "app/${Stage}/x"
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }
      TimeToLiveSpecification: { AttributeName: ttl, Enabled: true }
      KeySchema: [{ AttributeName: pk, KeyType: HASH }]
      AttributeDefinitions: [{ AttributeName: pk, AttributeType: S }]
  AdminKey:
    Type: AWS::SecretsManager::Secret
    Properties:
      Name: !Sub "app/${Stage}/admin"
      Description: !If [IsProd, production, !Ref AWS::NoValue]
      GenerateSecretString: { SecretStringTemplate: "{}", GenerateStringKey: current, PasswordLength: 48 }
  OnlyInProd:
    Type: AWS::SecretsManager::Secret
    Condition: IsProd
  Api:
    Type: AWS::Serverless::HttpApi
    Properties: { DefaultRouteSettings: { ThrottlingRateLimit: 5, ThrottlingBurstLimit: "10" } }
  SignedApi:
    Type: AWS::Serverless::HttpApi
    Properties: { Auth: { EnableIamAuthorizer: true, DefaultAuthorizer: AWS_IAM } }
  Topic:
    Type: AWS::SNS::Topic
    Properties: { Name: !ImportValue not-supported-but-not-needed }
  GetFunction:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: get-thing } }
    Properties:
      Timeout: 5
      Environment: { Variables: { EXTRA: 7, TABLE_ARN: !GetAtt Table.Arn } }
      Policies:
        - AWSLambdaBasicExecutionRole
        - Version: "2012-10-17"
          Statement:
            - Effect: Allow
              Action: dynamodb:GetItem
              Resource: !GetAtt Table.Arn
            - Effect: Allow
              Action: [dynamodb:Query]
              Resource: [!Sub "${Table.Arn}/index/by-name", !Ref AdminKey]
      Events:
        One: { Type: HttpApi, Properties: { ApiId: !Ref Api, Path: "/a/{id}", Method: any } }
        Two: { Type: HttpApi, Properties: { Path: /b, Method: post } }
  Job:
    Type: AWS::Serverless::Function
    Metadata: { BuildProperties: { Binary: job } }
    Properties:
      FunctionName: !Join ["-", [app, !Ref Stage, !Select [1, [a, job]]]]
      Events:
        Clock: { Type: ScheduleV2, Properties: { ScheduleExpression: rate(5 minutes) } }
"#;

fn resolved(parameters: &[(&str, &str)]) -> Template {
    Source::parse(TEMPLATE).unwrap().resolve(&locals(parameters)).unwrap()
}

fn locals(parameters: &[(&str, &str)]) -> Locals {
    let parameters = parameters.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let arn = "arn:admin-AbCdEf".to_owned();
    let secret_arns = BTreeMap::from([("AdminKey".to_owned(), arn.clone())]);
    let secret_values = BTreeMap::from([((arn, "current".to_owned()), "generated".to_owned())]);
    Locals { parameters, secret_arns, secret_values }
}

#[test]
fn the_table_becomes_a_create_table_request() {
    let template = resolved(&[]);
    assert_eq!(template.table_name, "latchkey-Table");
    assert_eq!(template.ttl_attribute.as_deref(), Some("ttl"));
    assert_eq!(
        template.table,
        json!({
            "TableName": "latchkey-Table",
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        })
    );
}

#[test]
fn a_function_has_its_own_settings_over_the_global_ones() {
    let template = resolved(&[]);
    let function = &template.functions[0];
    assert_eq!((function.binary.as_str(), function.timeout_seconds, function.memory_mb), ("get-thing", 5, 256));
    let environment: Vec<_> = function.environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        environment,
        [
            ("ADMIN", "arn:admin-AbCdEf"),
            ("EXTRA", "7"),
            ("KEY", "<generated>"),
            ("PREFIX", "app/dev/x"),
            ("TABLE", "latchkey-Table"),
            ("TABLE_ARN", "arn:aws:dynamodb:us-east-1:123456789012:table/latchkey-Table"),
        ]
    );
    assert_eq!(
        function.routes,
        [
            Route { method: "ANY".to_owned(), path: "/a/{id}".to_owned(), api: "Api".to_owned() },
            Route { method: "POST".to_owned(), path: "/b".to_owned(), api: String::new() },
        ]
    );
    assert!(!function.schedule);
    let job = &template.functions[1];
    assert!(job.schedule && job.routes.is_empty());
    assert_eq!((job.name.as_str(), job.timeout_seconds), ("app-dev-job", 10));
}

#[test]
fn apis_have_their_throttle_and_say_whether_they_need_a_principal() {
    let throttle = Some(Throttle { rate: 5, burst: 10 });
    let expected = [
        ("Api".to_owned(), Api { throttle, needs_principal: false }),
        ("SignedApi".to_owned(), Api { throttle: None, needs_principal: true }),
    ];
    assert_eq!(resolved(&[]).apis, BTreeMap::from(expected));
    for (ours, other) in [("AWS_IAM", "SomeAuthorizer"), ("DefaultRouteSettings: {", "RouteSettings: {")] {
        let source = Source::parse(&TEMPLATE.replacen(ours, other, 1)).unwrap();
        assert!(source.resolve(&locals(&[])).is_err(), "{other}");
    }
}

#[test]
fn statements_are_those_of_the_inline_policies() {
    let statements = &resolved(&[]).functions[0].statements;
    assert_eq!(statements.len(), 2);
    assert_eq!(statements[0].actions, ["dynamodb:GetItem"]);
    assert_eq!(
        statements[1].resources,
        ["arn:aws:dynamodb:us-east-1:123456789012:table/latchkey-Table/index/by-name", "arn:admin-AbCdEf"]
    );
}

#[test]
fn parameters_and_conditions_decide() {
    let source = Source::parse(TEMPLATE).unwrap();
    let names = |parameters: BTreeMap<String, String>| -> Vec<String> {
        source.secrets(&parameters).unwrap().into_iter().map(|secret| secret.name).collect()
    };
    assert_eq!(names(BTreeMap::new()), ["app/dev/admin"]);
    let prod = BTreeMap::from([("Stage".to_owned(), "prod".to_owned())]);
    assert_eq!(names(prod), ["app/prod/admin", "latchkey-OnlyInProd"]);
    assert_eq!(resolved(&[("Stage", "t1")]).functions[1].name, "app-t1-job");
}

#[test]
fn a_condition_in_a_statement_is_refused() {
    let text =
        TEMPLATE.replacen("Action: dynamodb:GetItem", "Action: dynamodb:GetItem\n              Condition: {}", 1);
    let error = Source::parse(&text).unwrap().resolve(&locals(&[])).unwrap_err();
    assert!(error.to_string().contains("Condition"), "{error}");
}

/// The error of the template with this reference in place of its own.
fn refused(reference: &str) -> String {
    let text = TEMPLATE.replacen("{{resolve:secretsmanager:${AdminKey}:SecretString:current}}", reference, 1);
    Source::parse(&text).unwrap().resolve(&locals(&[])).unwrap_err().to_string()
}

#[test]
fn a_reference_that_is_not_to_a_generated_member_is_refused() {
    for reference in [
        "{{resolve:secretsmanager:${AdminKey}:SecretString:previous}}",
        "{{resolve:secretsmanager:${AdminKey}:SecretString:current:AWSPREVIOUS}}",
        "{{resolve:secretsmanager:app/dev/another:SecretString:current}}",
        "{{resolve:ssm:name}}",
        "{{resolve:secretsmanager:${AdminKey}:SecretString:current",
    ] {
        assert!(refused(reference).contains("dynamic reference"), "{reference}");
    }
}

#[test]
fn more_references_than_cloudformation_takes_are_refused() {
    // Two functions, each with those of `Globals`.
    let one = "{{resolve:secretsmanager:${AdminKey}:SecretString:current}}";
    assert!(refused(&one.repeat(31)).contains("60 dynamic references, and here are 62"));
}

#[test]
fn a_reference_in_a_parameter_is_resolved_in_each_function_and_counts_once() {
    let one = "{{resolve:secretsmanager:${AdminKey}:SecretString:current}}";
    let shared = |references: usize| {
        let value = one.repeat(references);
        let parameter = format!(
            "  Shared:\n    Type: AWS::SSM::Parameter\n    Properties: {{ Type: String, Value: !Sub \"{value}\" }}\n"
        );
        let text = TEMPLATE.replacen(&format!("!Sub \"<{one}>\""), "!GetAtt Shared.Value", 1);
        let text = text.replacen("Resources:\n", &format!("Resources:\n{parameter}"), 1);
        Source::parse(&text).unwrap().resolve(&locals(&[]))
    };
    let plain = resolved(&[]).functions[0].environment["KEY"].clone();
    let plain = plain.trim_matches(['<', '>']);
    for function in &shared(60).unwrap().functions {
        assert_eq!(function.environment["KEY"], plain.repeat(60));
    }
    assert!(shared(61).unwrap_err().to_string().contains("60 dynamic references, and here are 61"));
}
