//! Who may read how the server is.

use roomd::config::{Settings, StatusAccess};

use super::{fetch, get, settings, support::TestServer};

const PATHS: [&str; 2] = ["/metrics", "/api/status"];

#[tokio::test]
async fn with_a_status_token_both_ask_for_it_and_health_stays_open() {
    let token = Some("open-sesame".to_owned());
    let server = TestServer::start(Settings { status_token: token, ..settings() });
    for path in PATHS {
        let none = fetch(&server, path).await;
        assert_eq!(none.header("www-authenticate"), Some("Bearer"), "{path}");
        assert!(none.assert_refusal(401, "unauthorized").contains("`status_token`"), "{path}");
        for shown in ["Bearer open-sesam", "Bearer open-sesamE", "Basic open-sesame", "open-sesame"] {
            let wrong = get(&server, path).and("Authorization", shown).send(&server).await;
            let said = wrong.assert_refusal(401, "unauthorized");
            assert!(said.contains("`status_token`") && !said.contains("open-"), "{path}: {said}");
        }
        let in_query = fetch(&server, &format!("{path}?token=open-sesame")).await;
        in_query.assert_refusal(401, "unauthorized");
        let right = get(&server, path).and("Authorization", "Bearer open-sesame").send(&server).await;
        assert!(right.status == 200 && !right.body.contains("open-sesame"), "{right:?}");
        assert!(right.body.contains("unauthorized"), "the refusals are counted: {right:?}");
    }
    assert_eq!(fetch(&server, "/healthz").await.status, 200);
    assert_eq!(fetch(&server, "/").await.status, 200);
}

#[tokio::test]
async fn the_two_tokens_are_two() {
    let (token, status_token) = (Some("for-clients".to_owned()), Some("for-status".to_owned()));
    let server = TestServer::start(Settings { token, status_token, ..settings() });
    for path in PATHS {
        let other = get(&server, path).and("Authorization", "Bearer for-clients").send(&server).await;
        other.assert_refusal(401, "unauthorized");
    }
    let server = TestServer::start(Settings { token: Some("for-clients".to_owned()), ..settings() });
    for path in PATHS {
        assert_eq!(fetch(&server, path).await.status, 200, "the token is for clients alone");
    }
}

#[tokio::test]
async fn this_machine_may_read_what_is_for_loopback_alone() {
    let server = TestServer::start(Settings { status_access: StatusAccess::Loopback, ..settings() });
    for path in PATHS {
        assert_eq!(fetch(&server, path).await.status, 200);
    }
}
