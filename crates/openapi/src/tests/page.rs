use serde_json::json;

use super::{document, schemas};
use crate::{escaped, page, style_hash};

#[test]
fn the_page_loads_nothing_and_runs_nothing() {
    let html = page(&document(&schemas()), &[], true);
    for word in [
        "<script", "src=", "<link", "<img", "@import", "url(", "style=\"", "onclick",
    ] {
        assert!(!html.contains(word), "{word}");
    }
    assert_eq!(html.matches("<style>").count(), 1);
    assert!(style_hash().starts_with("sha256-") && style_hash().ends_with('='));
}

#[test]
fn every_word_of_the_document_is_escaped() {
    let evil = "<b onload='x'>\"&`</code>";
    let mut document = document(&json!({
        evil: {"type": "object", "description": evil, "properties": {
            evil: {"type": evil, "description": evil, "format": evil, "minimum": evil, "maximum": evil},
            "words": {"enum": [evil]},
            "one": {"$ref": format!("#/components/schemas/{evil}")},
        }},
        "Question": {"example": evil},
    }));
    document["info"] = json!({"title": evil, "version": evil, "description": evil});
    document["components"]["securitySchemes"]["token"]["description"] = json!(evil);
    let post = &mut document["paths"]["/doors/{door}"]["post"];
    for name in ["operationId", "summary", "description"] {
        post[name] = json!(evil);
    }
    for name in ["name", "in", "description", "example"] {
        post["parameters"][0][name] = json!(evil);
    }
    post["responses"] =
        json!({evil: {"description": evil, "content": {evil: {"schema": {"type": "string"}}}}});
    let item = document["paths"]["/doors/{door}"].clone();
    document["paths"] = json!({format!("/{evil}"): item});
    let html = page(&document, &[(evil, evil)], true);
    assert!(!html.contains("<b "), "{html}");
    assert!(!html.contains("onload='"), "{html}");
    assert!(html.contains("&lt;b onload="));
    assert_eq!(
        escaped("<a href=\"x\">&'"),
        "&lt;a href=&quot;x&quot;&gt;&amp;&#39;"
    );
}
