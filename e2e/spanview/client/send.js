// Sends one span by each stock client to the addresses in the environment, and ends when all were taken.
"use strict";
const { BasicTracerProvider, SimpleSpanProcessor } = require("@opentelemetry/sdk-trace-base");
const { Resource } = require("@opentelemetry/resources");

async function otel(name, exporter) {
  const failed = [];
  const send = exporter.export.bind(exporter);
  exporter.export = (spans, done) => send(spans, (result) => {
    if (result.code !== 0) failed.push(result.error);
    done(result);
  });
  const provider = new BasicTracerProvider({
    resource: new Resource({ "service.name": "node-" + name }),
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  const span = provider.getTracer("t").startSpan("span by " + name, { attributes: { via: name } });
  span.addEvent("sent", { n: 1 });
  span.end();
  await provider.forceFlush();
  await provider.shutdown();
  if (failed.length) throw new Error(name + ": " + failed[0]);
}

function jaeger() {
  const { initTracer } = require("jaeger-client");
  const tracer = initTracer({
    serviceName: "node-jaeger",
    sampler: { type: "const", param: 1 },
    reporter: { agentHost: "127.0.0.1", agentPort: Number(process.env.JAEGER_PORT), flushIntervalMs: 10 },
  }, {});
  tracer.startSpan("span by jaeger").finish();
  return new Promise((resolve) => tracer.close(resolve));
}

(async () => {
  const { OTLPTraceExporter: Json } = require("@opentelemetry/exporter-trace-otlp-http");
  const { OTLPTraceExporter: Proto } = require("@opentelemetry/exporter-trace-otlp-proto");
  const { OTLPTraceExporter: Grpc } = require("@opentelemetry/exporter-trace-otlp-grpc");
  const { ZipkinExporter } = require("@opentelemetry/exporter-zipkin");
  const http = process.env.OTLP_HTTP + "/v1/traces";
  await otel("json", new Json({ url: http }));
  await otel("proto", new Proto({ url: http, compression: "gzip" }));
  await otel("grpc", new Grpc({ url: process.env.OTLP_GRPC }));
  await otel("zipkin", new ZipkinExporter({ url: process.env.ZIPKIN + "/api/v2/spans", serviceName: "node-zipkin" }));
  await jaeger();
  console.log("all sent");
})().catch((err) => {
  console.error(err);
  process.exit(1);
});
