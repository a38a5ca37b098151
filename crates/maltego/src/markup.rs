//! Writes small XML documents, indented, element by element.

use crate::text::{is_xml_char, push_attribute, push_text};

const INDENT: &str = "   ";

/// Holds a document that is being written. Texts may be any: what XML cannot carry is left out.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    out: String,
    open: Vec<&'static str>,
}

type Attributes<'a> = [(&'static str, &'a str)];

impl Markup {
    /// Writes an element and, inside it, what `inside` writes; an empty element where that is nothing.
    pub(crate) fn element(
        &mut self,
        name: &'static str,
        attributes: &Attributes<'_>,
        inside: impl FnOnce(&mut Self),
    ) {
        self.start(name, attributes);
        let start = self.out.len();
        self.out.push_str(">\n");
        let content = self.out.len();
        self.open.push(name);
        inside(self);
        self.open.pop();
        if self.out.len() == content {
            self.out.truncate(start);
            self.out.push_str("/>\n");
        } else {
            self.indent();
            self.end(name);
        }
    }

    /// Writes an element without content.
    pub(crate) fn empty(&mut self, name: &'static str, attributes: &Attributes<'_>) {
        self.element(name, attributes, |_| {});
    }

    /// Writes an element with a text.
    pub(crate) fn text(&mut self, name: &'static str, attributes: &Attributes<'_>, text: &str) {
        self.start(name, attributes);
        self.out.push('>');
        push_text(&mut self.out, text);
        self.end(name);
    }

    /// Writes an element with a text as CDATA.
    pub(crate) fn cdata(&mut self, name: &'static str, text: &str) {
        self.start(name, &[]);
        self.out.push_str("><![CDATA[");
        let plain: String = text.chars().filter(|c| is_xml_char(*c)).collect();
        self.out.push_str(&plain.replace("]]>", "]]]]><![CDATA[>"));
        self.out.push_str("]]>");
        self.end(name);
    }

    /// Returns what was written.
    pub(crate) fn finish(self) -> String {
        self.out
    }

    fn start(&mut self, name: &'static str, attributes: &Attributes<'_>) {
        self.indent();
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            push_attribute(&mut self.out, value);
            self.out.push('"');
        }
    }

    fn end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push_str(">\n");
    }

    fn indent(&mut self) {
        for _ in &self.open {
            self.out.push_str(INDENT);
        }
    }
}

/// Writes a document: one element.
pub(crate) fn document(
    name: &'static str,
    attributes: &Attributes<'_>,
    inside: impl FnOnce(&mut Markup),
) -> String {
    let mut markup = Markup::default();
    markup.element(name, attributes, inside);
    markup.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_indented_and_texts_escaped() {
        let written = document("A", &[("b", "<\"&\n")], |markup| {
            markup.element("C", &[], |markup| markup.empty("D", &[("e", "")]));
            markup.element("F", &[], |_| {});
            markup.text("G", &[], "a < b\u{1}");
            markup.cdata("H", "a ]]> b\u{1}");
        });
        assert_eq!(
            written,
            "<A b=\"&lt;&quot;&amp;&#10;\">\n   <C>\n      <D e=\"\"/>\n   </C>\n   <F/>\n   <G>a &lt; b</G>\n   \
             <H><![CDATA[a ]]]]><![CDATA[> b]]></H>\n</A>\n"
        );
    }
}
