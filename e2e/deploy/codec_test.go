package deploy_test

import "google.golang.org/grpc/mem"

// empty is a message without fields, and codec one that reads and writes nothing else.
type empty struct{}

type codec struct{}

func (codec) Name() string                         { return "proto" }
func (codec) Marshal(any) (mem.BufferSlice, error) { return nil, nil }
func (codec) Unmarshal(mem.BufferSlice, any) error { return nil }
