.PHONY: test lint fuzz bench bench-gate bench-scale e2e e2e-jaeger e2e-jaeger2 weave tools

test: ; go test -race -shuffle=on ./...

lint: tools ; .ci/lint

fuzz: ; .ci/fuzz

bench: ; go -C bench run ./cmd/report

bench-gate: ; go -C bench run ./cmd/report -gate

bench-scale: ; go -C bench run ./cmd/report -scale

e2e: ; go -C e2e run ./cmd/scenarios

e2e-jaeger: ; go -C e2e run ./cmd/scenarios -tags=allinone

e2e-jaeger2: ; go -C e2e test -count=1 -tags=jaeger2 ./jaeger

weave: ; go -C weave/e2e test -count=1 -timeout=30m ./...

tools: ; GOBIN=$(CURDIR)/bin go -C tools install tool ./prose ./subtests
