// Package browser_test looks at the pages in a real Chromium, headless, on the
// demo's data: the real command on a real API server, after all steps of the
// demo's story and some that are meant to do harm.
//
// Every page is loaded at a phone's width and at a desktop's, dark and light,
// with scripts and without them, and each time axe-core must find nothing, the
// browser's log must be empty, and nothing may be wider than the window. What it
// looked like is left in build/screens. Then there is what people do with the
// pages: filter, explain, draft, by hand and by keyboard; and what they may not:
// another tenant's clusters are asked for in every way that there is.
//
// The browser is driven over its own protocol by chromedp. Chromium is one of the
// machine's (chromium, chromium-browser, google-chrome); axe-core is what
// package-lock.json names, installed by npm to the user's cache folder. Where one
// of them is missing the tests are skipped, and fail with
// PORTCULLIS_TEST_SERVERS=required as all tests on real servers do.
package browser_test
