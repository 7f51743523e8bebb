// The media types of bodies.

export const JSON_TYPE = "application/json";
export const CSV_TYPE = "text/csv";
export const NDJSON_TYPE = "application/x-ndjson";
export const EVENTS_TYPE = "text/event-stream";
export const METRICS_TYPE = "text/plain";
