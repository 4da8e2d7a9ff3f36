package grpc_test

import (
	"context"
	"errors"
	"testing"

	"buf.build/gen/go/bufbuild/protovalidate/protocolbuffers/go/buf/validate"
	"buf.build/go/protovalidate"
	middleware "github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/protovalidate"
	"github.com/grpc-ecosystem/go-grpc-middleware/v2/interceptors/recovery"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/spanloom/spanloom/grpcmw"
	"github.com/spanloom/spanloom/spantest"
)

// named returns a message with a name that must not be empty.
func named(t *testing.T, name string) proto.Message {
	t.Helper()
	options := &descriptorpb.FieldOptions{}
	proto.SetExtension(options, validate.E_Field, &validate.FieldRules{
		Type: &validate.FieldRules_String_{String_: &validate.StringRules{MinLen: proto.Uint64(1)}},
	})
	file, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("named.proto"), Package: proto.String("e2e"), Syntax: proto.String("proto3"),
		Dependency: []string{"buf/validate/validate.proto"},
		MessageType: []*descriptorpb.DescriptorProto{{
			Name: proto.String("Named"),
			Field: []*descriptorpb.FieldDescriptorProto{{
				Name: proto.String("name"), Number: proto.Int32(1), Options: options,
				Type:  descriptorpb.FieldDescriptorProto_TYPE_STRING.Enum(),
				Label: descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL.Enum(),
			}},
		}},
	}, protoregistry.GlobalFiles)
	if err != nil {
		t.Fatal(err)
	}
	m := dynamicpb.NewMessage(file.Messages().ByName("Named"))
	m.Set(m.Descriptor().Fields().ByName("name"), protoreflect.ValueOfString(name))
	return m
}

// TestRefusalsOfAValidatorAreRecorded puts the validating interceptor on either side of ours: behind, its refusal is the outcome of the span; in
// front, there is no span of what it refuses.
func TestRefusalsOfAValidatorAreRecorded(t *testing.T) {
	validator, err := protovalidate.New()
	if err != nil {
		t.Fatal(err)
	}
	validates := middleware.UnaryServerInterceptor(validator)
	recovers := recovery.UnaryServerInterceptor()
	for _, tt := range []struct {
		name  string
		front bool
		spans int
	}{{"behind", false, 2}, {"in front", true, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			tracer := spantest.New(t)
			chain := []grpc.UnaryServerInterceptor{grpcmw.UnaryServerInterceptor(tracer), validates, recovers}
			if tt.front {
				chain = []grpc.UnaryServerInterceptor{recovers, validates, grpcmw.UnaryServerInterceptor(tracer)}
			}
			if err := run(t.Context(), chain, named(t, "")); status.Code(err) != codes.InvalidArgument {
				t.Fatal(err)
			}
			if err := run(t.Context(), chain, named(t, "x")); status.Code(err) != codes.Internal && status.Code(err) != codes.Unknown {
				t.Fatal(err)
			}
			spans := tracer.Finished()
			if len(spans) != tt.spans {
				t.Fatalf("%d spans, want %d", len(spans), tt.spans)
			}
			if !tt.front && (spans[0].Tag("grpc.code") != "InvalidArgument" || spans[0].Tag("error") != nil || spans[0].Tag("otel.status_description") == nil) {
				t.Errorf("tags %v", spans[0].Tags())
			}
			if last := spans[len(spans)-1]; last.Tag("error") != true {
				t.Errorf("tags %v", last.Tags())
			}
		})
	}
}

// run calls a handler that panics through a chain of interceptors.
func run(ctx context.Context, chain []grpc.UnaryServerInterceptor, req any) error {
	handler := func(context.Context, any) (any, error) { panic(errors.New("boom")) }
	for i := len(chain) - 1; i >= 0; i-- {
		next, interceptor := handler, chain[i]
		handler = func(ctx context.Context, req any) (any, error) {
			return interceptor(ctx, req, &grpc.UnaryServerInfo{FullMethod: "/e2e.Names/Set"}, next)
		}
	}
	_, err := handler(ctx, req)
	return err
}
