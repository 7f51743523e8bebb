// The media types of bodies.

export const JSON_TYPE = "application/json";
export const FORM_TYPE = "application/x-www-form-urlencoded";
export const HTML_TYPE = "text/html";
export const CSV_TYPE = "text/csv";
export const NDJSON_TYPE = "application/x-ndjson";
export const EVENTS_TYPE = "text/event-stream";
export const METRICS_TYPE = "text/plain";
