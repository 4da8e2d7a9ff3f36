// Package inventorypb is the generated code of the example service.
//
// Regenerating needs protoc; the plug-ins are pinned in the tools module and installed by `make tools`.
package inventorypb

//go:generate sh -c "PATH=$(git rev-parse --show-toplevel)/bin:$PATH protoc --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative inventory.proto"
