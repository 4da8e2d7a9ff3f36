// Package jaeger2 pins Jaeger v2, which make e2e-jaeger2 builds and runs. Jaeger has released it as v1.76 of its
// module.
package jaeger2
