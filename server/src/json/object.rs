//! The fields of a JSON object.

use serde_json::{Map, Value};

use super::problem::Broken;
use super::reader::Node;

/// The fields of an object, which are taken one by one; [`Object::finish`] reports those that were not taken.
#[derive(Debug)]
pub struct Object<'a> {
    node: Node<'a>,
    fields: &'a Map<String, Value>,
    taken: Vec<&'static str>,
}

impl<'a> Object<'a> {
    pub(super) fn new(node: Node<'a>, fields: &'a Map<String, Value>) -> Self {
        Self { node, fields, taken: Vec::new() }
    }

    /// The object itself, to report problems of it as a whole.
    #[must_use]
    pub fn node(&self) -> &Node<'a> {
        &self.node
    }

    /// A field that may be missing. `null` counts as missing.
    pub fn optional(&mut self, name: &'static str) -> Option<Node<'a>> {
        self.nullable(name).filter(|node| !node.value().is_null())
    }

    /// A field that may be missing, and for which `null` is a value.
    pub fn nullable(&mut self, name: &'static str) -> Option<Node<'a>> {
        self.taken.push(name);
        self.fields.get(name).map(|value| self.node.named(name, value))
    }

    /// A field that may not be missing.
    pub fn required(&mut self, name: &'static str) -> Option<Node<'a>> {
        let field = self.nullable(name);
        if field.is_none() {
            self.node.missing(name);
        }
        field
    }

    /// Whether the object has a field.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// Reports all fields that were not taken.
    pub fn finish(self) {
        for (name, value) in self.fields {
            if !self.taken.contains(&name.as_str()) {
                let _: Option<()> = self.node.named(name, value).broken(Broken::ExtraForbidden);
            }
        }
    }
}
