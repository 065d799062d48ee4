//! Takes one directive after the other away, and shows which check notices: a directive that nobody misses is not tested.

use super::stage::Plan;
use super::{Verdict, access, content, hostile, names, refused, running};

/// A directive, and the check that fails without it.
macro_rules! removed {
    ($($name:ident: $file:literal, $line:literal => $($check:ident)::+;)*) => {
        $(
            #[test]
            fn $name() {
                missed($file, $line, $($check)::+);
            }
        )*
    };
}

#[track_caller]
fn missed(file: &str, line: &str, check: fn(Plan) -> Option<Verdict>) {
    let verdict = check(Plan::new().without(file, line));
    assert_ne!(verdict, Some(Ok(())), "nobody misses `{line}` in `{file}`");
}

removed! {
    unknown_names: "nginx.conf", "include unknown.conf;" => refused::unknown_names_are_refused;
    versions: "nginx.conf", "server_tokens off;" => refused::answers_are_clean;
    ciphers: "tls.conf", "ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305;" => refused::tls_is_current;
    tickets: "tls.conf", "ssl_session_tickets off;" => refused::tls_is_current;
    authentication: "domain-primary.conf", "auth_request /_verify;" => access::credentials_are_asked_for;
    tenant: "domain-primary.conf", "auth_request_set $tenant $upstream_http_x_mirror_tenant;" => running::the_access_log_tells_what_happened;
    domain_of_the_question: "domain-primary.conf", "proxy_set_header X-Mirror-Domain primary;" => access::domains_are_apart;
    normal_form: "domain-primary.conf", "proxy_set_header Authorization $verify_authorization;" => access::credentials_are_asked_for;
    no_credential: "verify.conf", "\"\"      \"\";" => access::spellings_do_not_multiply_a_budget;
    rate_of_an_address: "domain-primary.conf", "limit_req zone=addresses burst=5 nodelay;" => access::an_address_is_limited_before_it_is_asked_who_it_is;
    requests_at_once: "limits.conf", "limit_conn connections 3;" => access::an_address_has_so_many_requests_at_once;
    rate_of_a_tenant: "domain-primary.conf", "limit_req zone=downloads_primary burst=20 nodelay;" => access::a_tenant_has_a_budget;
    too_many_requests: "limits.conf", "limit_req_status 429;" => access::a_tenant_has_a_budget;
    methods: "limits.conf", "default 1;" => refused::only_get_and_head;
    bodies: "limits.conf", "default 1;" => refused::bodies_are_refused;
    paths: "limits.conf", "\"~^[^?]*(?:[%\\\\#]|//|/\\.)\"    1;" => refused::paths_have_one_spelling;
    header_timeout: "limits.conf", "client_header_timeout 10s;" => hostile::slow_requests_are_cut_off;
    send_timeout: "limits.conf", "send_timeout 20s;" => hostile::slow_readers_are_cut_off;
    cache: "cache.conf", "proxy_cache mirror;" => content::a_second_read_is_a_hit;
    key: "cache.conf", "proxy_cache_key \"$server_name$uri\";" => content::domains_share_nothing_in_the_cache;
    lifetime: "domain-primary.conf", "proxy_cache_valid 200 1m;" => content::a_second_read_is_a_hit;
    words_of_the_source: "cache.conf", "proxy_ignore_headers Cache-Control Expires Set-Cookie Vary X-Accel-Expires X-Accel-Redirect X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset;" => content::the_gateway_decides_what_is_kept;
    cookies: "cache.conf", "proxy_hide_header Set-Cookie;" => refused::answers_are_clean;
    revalidation: "cache.conf", "proxy_cache_revalidate on;" => content::what_is_over_is_revalidated;
    stale: "cache.conf", "proxy_cache_use_stale error timeout invalid_header updating http_429 http_500 http_502 http_503 http_504;" => content::what_is_there_is_served_while_the_source_is_down;
    background: "domain-primary.conf", "proxy_cache_background_update on;" => content::exports_are_refreshed_in_the_background;
    lock: "cache.conf", "proxy_cache_lock on;" => content::one_request_fetches_for_all;
    lock_timeout: "cache.conf", "proxy_cache_lock_timeout 10m;" => content::one_request_fetches_for_all;
    lock_age: "cache.conf", "proxy_cache_lock_age 10m;" => content::one_request_fetches_for_all;
    headers_of_tenants: "cache.conf", "proxy_pass_request_headers off;" => refused::nothing_of_the_tenant_reaches_the_source;
    answers_of_sources: "content.conf", "proxy_intercept_errors on;" => content::answers_of_the_source_reach_nobody;
    redirects_of_sources: "content.conf", "error_page 301 302 303 307 308 400 403 405 406 408 409 410 500 501 503 = @unavailable;" => content::answers_of_the_source_reach_nobody;
    questions_of_sources: "content.conf", "error_page 401 = $on_401;" => access::credentials_are_asked_for;
    names_that_are_gone: "fetch.conf", "error_page 502 504 = @stale;" => names::names_come_and_go;
    state_of_the_cache: "headers-content.conf", "add_header X-Cache-Status $upstream_cache_status;" => content::a_second_read_is_a_hit;
    when_to_come_again: "answers.conf", "add_header Retry-After $limit_wait always;" => access::a_tenant_has_a_budget;
    methods_that_are_known: "answers.conf", "add_header Allow \"GET, HEAD\" always;" => refused::only_get_and_head;
    challenge: "answers.conf", "add_header WWW-Authenticate $challenge always;" => access::credentials_are_asked_for;
    refusals_are_not_kept: "headers-refused.conf", "add_header Cache-Control no-store always;" => refused::answers_are_clean;
    https_for_the_future: "headers-content.conf", "add_header Strict-Transport-Security \"max-age=31536000\" always;" => refused::answers_are_clean;
    log: "log.conf", "'\"cache\":\"$upstream_cache_status\",'" => running::the_access_log_tells_what_happened;
    inside: "inside.conf", "deny all;" => running::status_is_for_these_networks;
}
