//! `GET /api/v1/fetch/tenants?search=…`: tenants by the beginning of their name or id.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use stack::{AwsCall, Invocation, scheduled_event};

use crate::support::{Answer, Deployment, Tenant, now_ms, repository};

async fn search(deployment: &Deployment, text: &str, more: &str) -> Answer {
    deployment.get(&format!("/api/v1/fetch/tenants?search={}{more}", utf8_percent_encode(text, NON_ALPHANUMERIC))).await
}

fn listed(answer: &Answer, field: &str) -> Vec<String> {
    let tenants = answer.data(200)["tenants"].as_array().unwrap().iter();
    tenants.map(|tenant| tenant[field].as_str().unwrap().to_owned()).collect()
}

/// The names of the tenants that a search finds, all on one page.
async fn names(deployment: &Deployment, text: &str) -> Vec<String> {
    listed(&search(deployment, text, "&limit=100").await, "tenant_name")
}

async fn put_all(deployment: &Deployment, items: &[Value]) {
    let requests: Vec<_> = items.iter().map(|item| json!({ "PutRequest": { "Item": item } })).collect();
    for batch in requests.chunks(25) {
        deployment.dynamodb("BatchWriteItem", &json!({ "RequestItems": { deployment.table(): batch } })).await;
    }
}

fn entry_of(sort_key: &str) -> Value {
    json!({ "pk": { "S": "TENANTS" }, "sk": { "S": sort_key } })
}

fn is_entry(item: &Value) -> bool {
    item["pk"]["S"] == "TENANTS"
}

#[tokio::test]
async fn names_are_found_by_their_beginning_in_any_case_and_listed_in_their_order() {
    let deployment = Deployment::start().await;
    let all = [
        "Acme",
        "ACME Ltd",
        "acme",
        "Beta acme",
        "Straße 7",
        "İstanbul",
        "ΟΔΟΣ",
        "Ångström",
        "cafe\u{301}",
        "שלום עולם",
        "<b>x</b>",
        "a#b",
        "tnt_corp",
        " left",
        "👩‍🚀 space",
    ];
    for name in all {
        deployment.provision(name).await;
    }
    let longest = "ΐ".repeat(120);
    deployment.provision(&longest).await;
    let found = names(&deployment, "aCm").await;
    assert_eq!(found.len(), 3);
    assert_eq!(found.last().unwrap(), "ACME Ltd", "those that are the same but for case, and then what goes on");
    for (text, expected) in [
        ("ACME l", vec!["ACME Ltd"]),
        ("STRASS", vec!["Straße 7"]),
        ("straß", vec!["Straße 7"]),
        ("is", vec![]),
        ("i", vec!["İstanbul"]),
        ("İs", vec!["İstanbul"]),
        ("οδος", vec!["ΟΔΟΣ"]),
        ("ὀ", vec![]),
        ("ång", vec!["Ångström"]),
        ("cafe", vec!["cafe\u{301}"]),
        ("café", vec![]),
        ("שלום", vec!["שלום עולם"]),
        ("<B>", vec!["<b>x</b>"]),
        ("a#", vec!["a#b"]),
        ("acme#", vec![]),
        ("TNT_", vec!["tnt_corp"]),
        ("tnt_corp", vec![]),
        (" l", vec![" left"]),
        ("👩", vec!["👩‍🚀 space"]),
        (&longest, vec![longest.as_str()]),
        ("left", vec![]),
        ("%", vec![]),
        ("NAME", vec![]),
    ] {
        assert_eq!(names(&deployment, text).await, expected, "{text}");
    }
}

#[tokio::test]
async fn a_text_that_begins_like_an_id_finds_ids_that_begin_with_it() {
    let deployment = Deployment::start().await;
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.push(deployment.provision(&format!("Acme {n}")).await.id);
    }
    ids.sort_unstable();
    assert_eq!(listed(&search(&deployment, "tnt_", "").await, "tenant_id"), ids);
    for id in &ids {
        for text in [id.as_str(), &id[..16]] {
            let answer = search(&deployment, text, "").await;
            assert_eq!(listed(&answer, "tenant_id"), [id.as_str()]);
            let tenant = Tenant { id: id.clone(), secret: String::new() };
            let full = deployment.fetch(&tenant).await;
            for (name, value) in answer.body["data"]["tenants"][0].as_object().unwrap() {
                assert_eq!(value, &full[name], "{name}");
            }
        }
        assert!(listed(&search(&deployment, &format!("{id}0"), "").await, "tenant_id").is_empty());
    }
}

#[tokio::test]
async fn a_tenant_that_was_renamed_is_found_by_its_new_name_only_and_has_one_entry_of_each_kind() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Before").await;
    for (name, moves) in [("After", true), ("AFTER", false), ("Before", true)] {
        let before = deployment.search_entries(&tenant).await;
        deployment.update(&tenant, &json!({ "tenant_name": name })).await.data(200);
        assert_eq!(deployment.search_entries(&tenant).await != before, moves, "{name}");
        assert_eq!(deployment.search_entries(&tenant).await.len(), 2);
        for text in ["before", "after"] {
            let expected: &[&str] = if name.to_lowercase() == text { &[name] } else { &[] };
            assert_eq!(names(&deployment, text).await, expected);
        }
    }
    let entries_before = deployment.search_entries(&tenant).await;
    deployment.update(&tenant, &json!({ "rate_limit_per_min": 5 })).await.data(200);
    assert_eq!(deployment.search_entries(&tenant).await, entries_before);
}

#[tokio::test]
async fn an_entry_that_is_not_of_the_tenants_name_shows_nothing() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for sort_key in [format!("NAME#acme corp\u{1}{}", tenant.id), format!("NAME#acme\u{1}tnt_{:032x}", 1)] {
        put_all(&deployment, &[entry_of(&sort_key)]).await;
    }
    assert_eq!(names(&deployment, "acm").await, ["Acme"]);
}

#[tokio::test]
async fn what_is_no_search_is_refused_by_name() {
    let deployment = Deployment::start().await;
    for name in ["Acme", "Acme 2", "Beta"] {
        deployment.provision(name).await;
    }
    for text in ["", " ", "a\n", "\u{202e}", &"x".repeat(121)] {
        search(&deployment, text, "").await.names("search");
    }
    search(&deployment, "a", "&offset=0").await.names("offset");
    search(&deployment, "a", "&search=b").await.names("search");
    search(&deployment, "a", "&status=gone").await.names("status");
    let next = search(&deployment, "ac", "&limit=1").await.data(200)["next_cursor"].as_str().unwrap().to_owned();
    let cursor = format!("&limit=1&cursor={next}");
    assert_eq!(listed(&search(&deployment, "AC", &cursor).await, "tenant_name"), ["Acme 2"]);
    for (text, more) in [("acm", ""), ("a", ""), ("b", ""), ("tnt_", ""), ("ac", "&status=active")] {
        search(&deployment, text, &format!("{more}{cursor}")).await.names("cursor");
    }
    deployment.get(&format!("/api/v1/fetch/tenants?{}", &cursor[1..])).await.names("cursor");
    let of_list = deployment.get("/api/v1/fetch/tenants?limit=1").await;
    let of_list = of_list.data(200)["next_cursor"].as_str().unwrap();
    search(&deployment, "ac", &format!("&cursor={of_list}")).await.names("cursor");
}

/// A thousand tenants, every tenth of which is suspended. Copies of one that was really provisioned.
async fn thousand(deployment: &Deployment) {
    let first = deployment.provision("Acme 000").await;
    let items = deployment.items().await;
    let mut copies = Vec::new();
    for n in 1..1000 {
        let id = format!("tnt_{n:032x}");
        for item in items.iter().filter(|item| is_entry(item) || item["sk"]["S"] == "STATE") {
            let text = item.to_string().replace(&first.id, &id);
            let text = text.replace("Acme 000", &format!("Acme {n:03}")).replace("acme 000", &format!("acme {n:03}"));
            let mut copy: Value = serde_json::from_str(&text).unwrap();
            if n % 10 == 0 && !is_entry(&copy) {
                copy["tenant_status"]["S"] = "suspended".into();
                copy["suspended_at"] = json!({ "N": "1" });
            }
            copies.push(copy);
        }
    }
    put_all(deployment, &copies).await;
}

/// Every page of a search, with what was called in AWS for each.
async fn pages(deployment: &Deployment, query: &str) -> Vec<(Vec<String>, Vec<AwsCall>)> {
    let mut pages = Vec::new();
    let mut cursor = String::new();
    loop {
        let call = deployment.operator("GET", &format!("/api/v1/fetch/tenants?{query}{cursor}"));
        let (answer, calls) = deployment.calls_of(call).await;
        pages.push((listed(&answer, "tenant_name"), calls));
        match answer.body["data"]["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return pages,
        }
    }
}

/// Read units, and the calls beside the read of the operator's key.
fn cost(calls: &[AwsCall]) -> (f64, Vec<&str>) {
    let calls = calls.iter().filter(|call| call.service == stack::Service::Dynamodb);
    (calls.clone().map(|call| call.consumed.unwrap()).sum(), calls.map(|call| call.operation.as_str()).collect())
}

#[tokio::test]
async fn a_page_among_a_thousand_tenants_reads_a_unit_for_each_row_and_a_few_more_and_never_scans() {
    let deployment = Deployment::start_with(|builder| builder.without_stream().metered()).await;
    thousand(&deployment).await;
    let expected: Vec<_> = (0..1000).map(|n| format!("Acme {n:03}")).collect();
    for (limit, query) in [(100, "search=ACME"), (37, "search=acme"), (100, "search=tnt_")] {
        let pages = pages(&deployment, &format!("{query}&limit={limit}")).await;
        assert_eq!(pages.len(), 1000_usize.div_ceil(limit));
        for (rows, calls) in &pages {
            let (units, operations) = cost(calls);
            assert_eq!(operations, ["Query", "BatchGetItem"]);
            let rows = u32::try_from(rows.len()).unwrap();
            assert!(units <= f64::from(rows) + 4.0, "{query}: {units} for {rows}");
        }
        let mut found: Vec<_> = pages.into_iter().flat_map(|(rows, _)| rows).collect();
        if query == "search=tnt_" {
            found.sort_unstable();
        }
        assert_eq!(found, expected, "{query}");
    }
    let row = |name: &str, calls: &[AwsCall]| {
        let (units, operations) = cost(calls);
        format!("| {name} | {} calls, {units} units |", operations.len())
    };
    let documented = std::fs::read_to_string(repository().join("docs/operate/cost.md")).unwrap();
    let pages_of_20 = pages(&deployment, "search=acme").await;
    let rare = pages(&deployment, "search=acme&status=suspended").await;
    for row in [row("20 of 1 000 tenants", &pages_of_20[20].1), row("20 of the 99 suspended ones of them", &rare[1].1)]
    {
        println!("{row}");
        assert!(documented.contains(&row), "{row}");
    }
    // Few match: few are read.
    let pages_of_ten = pages(&deployment, "search=acme%2012").await;
    let [(rows, calls)] = pages_of_ten.as_slice() else { panic!("one page") };
    assert_eq!(rows, &expected[120..130]);
    assert!(cost(calls).0 <= 11.0, "{:?}", cost(calls));
}

#[tokio::test]
async fn a_search_by_status_finds_each_tenant_of_that_status_once_and_no_page_reads_more_than_500_tenants() {
    let deployment = Deployment::start_with(|builder| builder.without_stream().metered()).await;
    thousand(&deployment).await;
    let is_suspended = |n: &usize| *n > 0 && n.is_multiple_of(10);
    for (status, limit) in [("suspended", 20), ("suspended", 100), ("active", 100), ("active", 7)] {
        let wanted = (0..1000_usize).filter(|n| is_suspended(n) == (status == "suspended"));
        let expected: Vec<_> = wanted.map(|n| format!("Acme {n:03}")).collect();
        let pages = pages(&deployment, &format!("search=acme&status={status}&limit={limit}")).await;
        for (rows, calls) in &pages {
            let (units, operations) = cost(calls);
            assert!(rows.len() <= limit && operations.len() <= 10 && units <= 520.0, "{units} {operations:?}");
        }
        let found: Vec<_> = pages.into_iter().flat_map(|(rows, _)| rows).collect();
        assert_eq!(found, expected, "{status} {limit}");
    }
    let found = pages(&deployment, "search=acme%2012&status=suspended").await;
    assert_eq!((found.len(), &found[0].0[..]), (1, &["Acme 120".to_owned()][..]));
}

#[tokio::test]
async fn the_status_is_that_of_the_moment_however_the_tenant_was_suspended() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let found = async |status: &str| listed(&search(&deployment, "ac", status).await, "status");
    for (path, status, other) in
        [("", "active", "suspended"), ("suspend", "suspended", "active"), ("re", "active", "suspended")]
    {
        match path {
            "suspend" => drop(deployment.suspend(&tenant).await),
            "re" => drop(deployment.reactivate(&tenant).await),
            _ => {}
        }
        assert_eq!(found(&format!("&status={status}")).await, [status]);
        assert!(found(&format!("&status={other}")).await.is_empty());
        assert_eq!(found("").await, [status]);
    }
}

/// A run of the reconciler: how many tenants it has entered.
async fn reconcile(deployment: &Deployment) -> Value {
    let run = deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await;
    run.unwrap().payload["entered"].clone()
}

#[tokio::test]
async fn the_reconciler_enters_tenants_of_an_older_release_once() {
    let deployment = Deployment::start().await;
    let mut tenants = Vec::new();
    for n in 0..6 {
        tenants.push(deployment.provision(&format!("Acme {n}")).await);
    }
    let missing: [&[&str]; 5] = [&["NAME#", "ID#"], &["NAME#"], &["ID#"], &[], &["NAME#", "ID#"]];
    for (tenant, lacks) in tenants.iter().zip(missing) {
        let entries = deployment.search_entries(tenant).await;
        deployment.make_old(tenant).await;
        let kept = entries.into_iter().filter(|entry| !lacks.iter().any(|kind| entry.starts_with(kind)));
        put_all(&deployment, &kept.map(|entry| entry_of(&entry)).collect::<Vec<_>>()).await;
    }
    // One that is not settled is looked at later.
    deployment.make_old(&tenants[5]).await;
    deployment.provisioned_at(&tenants[5], now_ms()).await;
    let before = deployment.items().await;
    assert_eq!(names(&deployment, "acme").await, ["Acme 2", "Acme 3"]);
    assert_eq!(reconcile(&deployment).await, 4);
    assert_eq!(names(&deployment, "acme").await, ["Acme 0", "Acme 1", "Acme 2", "Acme 3", "Acme 4"]);
    assert_eq!(listed(&search(&deployment, "tnt_", "").await, "tenant_id").len(), 5);
    assert_eq!(deployment.items().await.len(), before.len() + 6 + 1, "the entries, and the mark");
    assert_eq!(reconcile(&deployment).await, 0);
    deployment.make_old(&tenants[5]).await;
    assert_eq!(reconcile(&deployment).await, 1);
    assert_eq!(names(&deployment, "acme").await.len(), 6);
    // What is behind the mark costs nothing any more.
    deployment.make_old(&tenants[0]).await;
    deployment.provisioned_at(&tenants[0], 1).await;
    assert_eq!(reconcile(&deployment).await, 0);
}
