# `make help` lists what there is. GNU make 3.81 (macOS) is enough.

SHELL := /bin/sh
.DEFAULT_GOAL := build
.PHONY: help build tools demo practice bench readers harness lint unit alerts pages test reference manifests shipped image release clean fuzz faults mutants soak

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# The race detector takes a C compiler; without one, unit tests run all the same.
RACE := $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

# Tests run in their packages' folders: the path must not depend on where.
ifneq ($(KKP_CRDS),)
override KKP_CRDS := $(abspath $(KKP_CRDS))
export KKP_CRDS
endif

# Packages whose tests use real servers, however far down they import them.
SERVER_PACKAGES = go list -e -test -f '{{.ImportPath}} {{join .Deps " "}}' ./... | \
	awk '$$1 ~ /\.test$$/ && /\/test\/servers( |$$)/ { sub(/\.test$$/, "", $$1); print $$1 }'

# A patience for all tests of a package; the default of 10 minutes is for
# quicker machines.
TIMEOUT := 30m

# With the race detector, what is there for its size is smaller.
FULL_SIZE := echo "== large packs in full size" && go test -timeout $(TIMEOUT) -run 'PullRequest|Branch' ./source

# Takes longest of the unit tests: it begins first, and the others run beside it.
LONGEST := ./source

# These count requests, or wait for what servers do in their own time: nothing
# else may run beside them.
PATIENT := /test/(demo|e2e|fault)$$

# The same bytes from the same sources, wherever they are built: no paths, no
# state of the work tree, no C.
STATIC := CGO_ENABLED=0 go build -trimpath -buildvcs=false

build: ## the command, bin/portcullis (default)
	$(STATIC) -ldflags "-X main.version=$(VERSION)" -o bin/portcullis ./cmd/portcullis

tools: ## etcd, kube-apiserver, Gitea, helm and others from source, to .tools/bin; once a machine
	go run ./test/tools

demo: build ## the whole story on a real API server, and on a Gitea where one is built; KEEP=1 leaves it running
	@assets=$$(go run ./test/tools -control-plane) && (go run ./test/tools -kept gitea || :) && \
	KUBEBUILDER_ASSETS="$$assets" KEEP="$(KEEP)" go run ./test/demo

practice: build ## a seed to learn on, for docs/tutorial.md: a real API server, KKP played by a stand-in; until Ctrl-C
	@assets=$$(go run ./test/tools -control-plane) && $(STATIC) -o bin/practice ./test/practice && \
	KUBEBUILDER_ASSETS="$$assets" exec bin/practice

# The harness and what it measures beside the command are a module of their own:
# Flux's engine and kubectl are no business of the product's.
bench: build ## against Flux's engine, kubectl and bare loops, to build/bench.json and .svg: up to 40 minutes; N=1000 is quick
	@assets=$$(go run ./test/tools -control-plane) && go run ./test/tools gitea && \
	go build -C test/bench -o $(CURDIR)/bin/ . ./kubectl && \
	KUBEBUILDER_ASSETS="$$assets" bin/bench -n $(or $(N),10000) -kubectl bin/kubectl

readers: build ## the pages read by 20 while all lists change, to build/readers.json; N=1000 is quick
	@assets=$$(go run ./test/tools -control-plane) && go build -C test/bench -o $(CURDIR)/bin/ . && \
	KUBEBUILDER_ASSETS="$$assets" bin/bench -n $(or $(N),10000) -pages -out build/readers.json

harness: ## the bench on a few clusters: requests and writes are asserted, times are not
	cd test/bench && go vet ./... && go test -count=1 -timeout $(TIMEOUT) ./... # nothing outside of its folder counts for the cache

lint: ## formatting (all modules), vet, staticcheck
	@unformatted=$$(gofmt -l .) && if [ -n "$$unformatted" ]; then \
		echo "not formatted (gofmt -w):"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	@go run ./test/tools staticcheck
	.tools/bin/staticcheck ./...

unit: ## tests without servers; needs only Go and git
	@$(if $(RACE),,echo "no C compiler: without the race detector";) \
	packages=$$(go list ./... | grep -v -e /test/e2e -e /test/servers$$) && \
	PORTCULLIS_TEST_SERVERS=none go test $(RACE) -timeout $(TIMEOUT) $$packages

alerts: ## alerts and dashboard, on Prometheus' own rule engine; a module of its own
	cd test/alerts && go vet ./... && go test -count=1 -timeout $(TIMEOUT) ./... # nothing outside of its folder counts for the cache

# What drives a browser is no business of the product's either.
pages: ## the pages in a real Chromium, headless, with axe-core; what they look like to build/screens
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
		echo "no Chromium: THE PAGES ARE NOT TESTED IN A BROWSER (apt-get install chromium)"
	@command -v npm >/dev/null || echo "no npm, for axe-core: THE PAGES ARE NOT TESTED IN A BROWSER (apt-get install npm)"
	@assets=$$(go run ./test/tools -control-plane) && export KUBEBUILDER_ASSETS="$$assets" && \
	cd test/browser && go vet ./... && go test -count=1 -timeout $(TIMEOUT) ./... # nothing outside of its folder counts for the cache

test: lint ## all tests, on real servers too; KKP_CRDS=folder takes KKP's own CRDs
	@command -v buildah >/dev/null || echo "no buildah: THE CONTAINER IMAGE IS NOT TESTED (apt-get install buildah)"
	@assets=$$(go run ./test/tools -control-plane) && go run ./test/tools gitea helm cyclonedx-gomod && \
	servers=$$($(SERVER_PACKAGES)) && go list ./... > .tools/packages && \
	printf '%s\n' $$servers > .tools/server-packages && \
	echo "== unit tests" && \
	PORTCULLIS_TEST_SERVERS=none go test $(RACE) -timeout $(TIMEOUT) $(LONGEST) $$(grep -v -x -F -f .tools/server-packages .tools/packages) && \
	$(if $(RACE),$(FULL_SIZE) &&) \
	echo "== alerts" && $(MAKE) --no-print-directory alerts && \
	echo "== fuzzing, shortly" && $(MAKE) --no-print-directory fuzz FUZZTIME=3s && \
	echo "== tests on real servers" && \
	export KUBEBUILDER_ASSETS="$$assets" && \
	PORTCULLIS_TEST_SERVERS=required go test $(RACE) -count=1 -p 2 -timeout $(TIMEOUT) $$(grep -v -E '$(PATIENT)' .tools/server-packages) && \
	PORTCULLIS_TEST_SERVERS=required go test $(RACE) -count=1 -p 1 -timeout $(TIMEOUT) $$(grep -E '$(PATIENT)' .tools/server-packages) && \
	echo "== pages in a browser" && $(MAKE) --no-print-directory pages && \
	echo "== bench, shortly" && PORTCULLIS_TEST_SERVERS=required $(MAKE) --no-print-directory harness

faults: ## the fault suite in full: outages of a minute, 200 kills, 20,000 steps of the model, mutants; hours
	@assets=$$(go run ./test/tools -control-plane) && go run ./test/tools gitea && \
	export PORTCULLIS_TEST_SERVERS=required KUBEBUILDER_ASSETS="$$assets" PORTCULLIS_FAULTS=long && \
	go test $(RACE) -count=1 -timeout 8h ./test/fault && \
	go test $(RACE) -count=1 -timeout 2h -run '^TestKilledWhileItJudgesPullRequests$$' ./test/e2e && \
	PORTCULLIS_STEPS=20000 go test $(RACE) -count=1 -timeout 2h -run '^TestModel$$' ./cmd/portcullis && \
	go run ./test/mutants

mutants: ## break the code in a dozen ways, in a copy; each way must be caught by a test
	@assets=$$(go run ./test/tools -control-plane) && KUBEBUILDER_ASSETS="$$assets" go run ./test/mutants $(ONLY)

soak: build ## an hour of work, or DURATION=10m; memory, goroutines, requests and lag at start and end
	@assets=$$(go run ./test/tools -control-plane) && \
	KUBEBUILDER_ASSETS="$$assets" go run ./test/soak -for $(or $(DURATION),1h)

FUZZTIME ?= 10m
FUZZ := render/document:FuzzParse render/document:FuzzPrefix render/policy:FuzzConfig render/policy:FuzzPolicy render:FuzzRender source:FuzzAllowedSigners source:FuzzSignedPart

fuzz: ## each fuzz target for FUZZTIME (10m); what is found goes to testdata/fuzz, and is a test from then on
	@set -e; for target in $(FUZZ); do \
		go test ./$${target%%:*} -run '^$$' -fuzz "^$${target##*:}\$$" -fuzztime $(FUZZTIME); done

reference: ## docs/reference and the descriptions in the schema, from the code; `make unit` fails where they are stale
	PORTCULLIS_REFERENCE=write go test -count=1 -run '^TestDescriptionsAreCurrent$$' ./cmd/portcullis/schema
	PORTCULLIS_REFERENCE=write go test -count=1 -run '^TestReferenceIsCurrent$$' ./cmd/portcullis

manifests: ## deploy/manifests, rendered from deploy/chart, and its copies of alerts and dashboard; `make test` fails where they are stale
	@go run ./test/tools helm
	PORTCULLIS_TEST_SERVERS=required PORTCULLIS_MANIFESTS=write go test -count=1 -run '^Test(Alerts|Manifests|Dashboard)(Are|Is)Current$$' ./test/chart

BUILDAH := buildah --storage-driver vfs
IMAGE   := localhost/portcullis:$(VERSION)
OS      := $(shell go env GOOS)
ARCH    := $(shell go env GOARCH)
OUT     := build/portcullis

shipped: # the command for OS and ARCH at OUT, without tables for debuggers
	GOOS=$(OS) GOARCH=$(ARCH) $(STATIC) -ldflags "-s -w -X main.version=$(VERSION)" -o $(OUT) ./cmd/portcullis

image: ## the container image for this machine's kind, or ARCH=arm64, by buildah; IMAGE=name
	rm -rf build/image && mkdir -p build/image/root/tmp && chmod 755 build/image/root && chmod 1777 build/image/root/tmp
	@$(MAKE) --no-print-directory shipped OS=linux VERSION="$(VERSION)" OUT=build/image/root/portcullis
	chmod 755 build/image/root/portcullis
	$(BUILDAH) bud --isolation chroot --arch $(ARCH) --timestamp 0 --tag $(IMAGE) --file deploy/Containerfile build/image

RELEASE   := build/release
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64
# Helm wants three numbers; without a tag there are none.
CHART_VERSION = $(or $(shell echo "$(VERSION)" | sed -n 's/^v\([0-9][0-9]*\.[0-9][0-9]*\.[0-9].*\)$$/\1/p'),0.0.0-g$(VERSION))

# The work tree may change meanwhile: the version is that of the beginning.
release: ## binaries, chart, bills of materials (CycloneDX) and checksums, to build/release
	@go run ./test/tools helm cyclonedx-gomod
	rm -rf $(RELEASE) && mkdir -p $(RELEASE)
	@set -e; for platform in $(PLATFORMS); do \
		os=$${platform%/*}; arch=$${platform#*/}; file=$(RELEASE)/portcullis-$$os-$$arch; echo "$$file"; \
		$(MAKE) --no-print-directory shipped OS=$$os ARCH=$$arch VERSION="$(VERSION)" OUT=$$file; \
		.tools/bin/cyclonedx-gomod bin -json -noserial -notimestamp -std -version $(VERSION) -output $$file.cdx.json $$file; done
	.tools/bin/helm package deploy/chart --version "$(CHART_VERSION)" --app-version "$(VERSION)" --destination $(RELEASE)
	go run ./deploy/repack "$(RELEASE)/portcullis-$(CHART_VERSION).tgz"
	cd $(RELEASE) && $(or $(shell command -v sha256sum),shasum -a 256) * > SHA256SUMS

clean: ## what build and tools left in this work tree; built servers stay in the user's cache
	rm -rf bin .tools build/image build/release build/screens

help: ## this
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile
