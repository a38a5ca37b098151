//! Renderings of a small document that holds every case. Those of our own are tested with the routes that it describes.

mod page;
mod renderings;

use serde_json::{Value, json};

/// Makes a document with one operation, its schemas as given.
fn document(schemas: &Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://schema.example/dialect",
        "info": {
            "title": "Doors", "summary": "short", "version": "1",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "webhooks": {},
        "paths": {"/doors/{door}": {"post": {
            "operationId": "open",
            "summary": "Opens a door.",
            "parameters": [
                {"name": "door", "in": "path", "required": true, "schema": {"type": "string"}, "example": "a b/c"},
                {"name": "color", "in": "query", "schema": {"type": ["array", "null"], "items": {"type": "string"}}},
                {"name": "crumb", "in": "cookie", "schema": {"type": "string"}},
            ],
            "requestBody": {"required": true, "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Question"}},
            }},
            "responses": {
                "200": {"description": "Open.", "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/Answer"}},
                }},
                "400": {
                    "description": "Shut.",
                    "headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
                    "content": {"application/problem+json": {"schema": {"type": "object"}}},
                },
            },
            "security": [{"token": []}],
        }}},
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "A token."}},
        },
    })
}

fn schemas() -> Value {
    json!({
        "Question": {"type": "object", "additionalProperties": false, "required": ["who"], "properties": {
            "who": {"oneOf": [
                {"$ref": "#/components/schemas/OneOrMany", "description": "Who asks."}, {"type": "null"},
            ], "examples": ["me"]},
            "limit": {"type": ["integer", "null"], "exclusiveMinimum": 0, "maximum": 9},
        }},
        "OneOrMany": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
        "Answer": {"allOf": [
            {"$ref": "#/components/schemas/Base"},
            {"type": "object", "properties": {"sample": {"type": ["boolean", "null"]}}},
        ], "description": "An answer."},
        "Base": {
            "type": "object", "required": ["score", "score_known", "mood", "size", "more", "list"],
            "properties": {
                "score": {"type": ["integer", "null"], "description": "A score.", "minimum": 0},
                "score_known": {"type": "boolean"},
                "mood": {"$ref": "#/components/schemas/Mood", "description": "How it is."},
                "size": {"$ref": "#/components/schemas/Size"},
                "more": {"oneOf": [{"$ref": "#/components/schemas/Base"}, {"type": "null"}]},
                "list": {"type": "array", "items": {"$ref": "#/components/schemas/Size"}},
                "fixed": {"const": "yes", "contentMediaType": "text/plain"},
                "raw": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
                "by_name": {
                    "type": "object", "propertyNames": {"type": "string"},
                    "additionalProperties": {"type": ["integer", "null"]},
                },
            },
        },
        "Mood": {"type": "string", "enum": ["good", "bad"], "description": "A mood."},
        "Size": {"type": "object", "properties": {"wide": {"type": "integer"}}, "$comment": "x"},
    })
}
