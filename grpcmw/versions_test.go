package grpcmw_test

import (
	"strconv"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
)

// grpcSince reports whether gRPC's version is 1.minor or newer. The tests run with the lowest and with the newest.
func grpcSince(minor int) bool {
	_, rest, _ := strings.Cut(grpc.Version, ".")
	number, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(number)
	return err == nil && n >= minor
}

// moreThanOneAnswer is the code with which gRPC ends an RPC whose server sends two messages where one is due.
var moreThanOneAnswer = func() codes.Code {
	if grpcSince(74) {
		return codes.Internal
	}
	return codes.Unknown
}()
