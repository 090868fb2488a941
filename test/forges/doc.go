// Package forges has stand-ins for GitHub and GitLab, which cannot be run
// here, for the tests that every forge has to pass. What is stood in for is
// only what Portcullis asks of them: the answers' codes, headers and bodies,
// and the state that decides about them, such as statuses that are only ever
// added, limits, transitions that are refused, pages, ETags and tokens.
//
// Where each answer is from:
//
//   - GitHub: the official description of its API, npm package @octokit/openapi.
//     Where that is there (see Octokit), each request and answer is held
//     against it, and answers are completed to all that it requires. It says
//     nothing of the refusals of statuses and check runs; these are from
//     docs.github.com (limits of statuses, rate limits) and from answers that
//     were reported by users.
//   - GitLab: its source, where its API is declared, and docs.gitlab.com/api;
//     what of that counts here is in gitlabContract, and each request and
//     answer is held against it, answers against the types of GitLab's own
//     client too. The refusals are those of
//     app/services/ci/create_commit_status_service.rb and of
//     spec/requests/api/commit_statuses_spec.rb.
//
// The same tests run against a real Gitea.
package forges
