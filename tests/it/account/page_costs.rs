//! What a page of 20 of each list costs, as docs/operate/cost.md says.

use serde_json::{Value, json};

use super::pages::{costs, units};
use crate::support::{ApiKey, Call, Deployment, repository};

/// What a page may read for an end user.
const MOST: f64 = 20.0;

/// An account in which every list is longer than a page.
struct Lists {
    deployment: Deployment,
    key: ApiKey,
    session: String,
    workspace: String,
}

impl Lists {
    /// Half of what all share is ada's own. Each document is in a workspace of its own, and in one with all others.
    async fn start() -> Self {
        let deployment = Deployment::start_with(|builder| builder.without_stream().metered()).await;
        let tenant = deployment.provision("Acme").await;
        let key = deployment.api_key(&tenant, "account").await;
        let mut lists = Self { deployment, key, session: String::new(), workspace: String::new() };
        lists.session = lists.make(Some("ada"), "agent-sessions", &json!({ "title": "A question" })).await;
        lists.workspace = lists.make(None, "workspaces", &json!({ "name": "Handbooks", "is_default": true })).await;
        let messages = format!("agent-sessions/{}/messages", lists.session);
        for number in 0..21 {
            let session = json!({ "title": format!("Question {number}"), "model_name": "a-model-of-today" });
            lists.make(Some("ada"), "agent-sessions", &session).await;
            lists.make(Some("ada"), "tools/search/execute", &json!({ "inputs": { "query": "refunds" } })).await;
            let message = json!({ "role": "user", "content": "How long does a refund take, and who pays for it?" });
            lists.make(Some("ada"), &messages, &message).await;
            for owner in [Some("ada"), None] {
                let workspace = json!({ "name": format!("Workspace {number}"), "description": "What a team needs." });
                let workspace = lists.make(owner, "workspaces", &workspace).await;
                let document = json!({
                    "name": format!("Handbook {number}"),
                    "file_type": "text/markdown",
                    "workspace_ids": [workspace, lists.workspace],
                    "markdown_content": "A refund takes **five days**.",
                });
                lists.make(owner, "documents", &document).await;
            }
        }
        lists
    }

    async fn make(&self, owner: Option<&str>, path: &str, body: &Value) -> String {
        let path = format!("/api/v1/{path}");
        let call = match owner {
            Some(owner) => self.deployment.account_for(&self.key, owner, "POST", &path),
            None => self.deployment.account(&self.key, "POST", &path),
        };
        let answer = call.json(body).send().await;
        assert!(answer.status < 300, "{}", answer.text);
        answer.body["id"].as_str().unwrap_or_default().to_owned()
    }

    /// Calls and read units of a full page, after another one: the first call of a process reads more.
    async fn page(&self, call: Call) -> (usize, f64) {
        call.clone().send().await.document(200);
        let (answer, costs) = costs(&self.deployment, call).await;
        assert_eq!(answer.document(200)["items"].as_array().unwrap().len(), 20);
        assert!(answer.body["has_more"] == true && answer.body["next_cursor"].is_string());
        (costs.len(), units(&costs))
    }
}

/// `cargo tests a_page_of_20 -- --nocapture` prints the table.
#[tokio::test]
async fn a_page_of_20_reads_at_most_20_units_for_an_end_user_and_what_the_documentation_says() {
    let lists = Lists::start().await;
    let token = lists.deployment.scoped_token(&lists.key, Some("ada")).await;
    let documented = std::fs::read_to_string(repository().join("docs/operate/cost.md")).unwrap();
    let mut table = Vec::new();
    for (name, path) in [
        ("agent sessions", "agent-sessions".to_owned()),
        ("messages of a session", format!("agent-sessions/{}/messages", lists.session)),
        ("tool executions", "tool-executions".to_owned()),
        ("workspaces", "workspaces".to_owned()),
        ("documents, each in two workspaces", "documents".to_owned()),
        ("documents of a workspace", format!("workspaces/{}/documents", lists.workspace)),
    ] {
        let path = format!("/api/v1/{path}");
        let of_token = lists.page(lists.deployment.page(&token, "GET", &path)).await;
        let of_key = lists.page(lists.deployment.account_for(&lists.key, "ada", "GET", &path)).await;
        let of_account = lists.page(lists.deployment.account(&lists.key, "GET", &path)).await;
        assert!(of_token.1 <= MOST && of_key.1 <= MOST, "{name}: {of_token:?} {of_key:?}");
        let cells = [of_token, of_key, of_account].map(|(calls, units)| format!("{calls}, {units}"));
        table.push(format!("| {name} | {} |", cells.join(" | ")));
    }
    let table = table.join("\n");
    println!("{table}");
    assert!(documented.contains(&table), "docs/operate/cost.md does not have this table:\n{table}");
}
