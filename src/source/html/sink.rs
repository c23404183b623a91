//! Where the parser puts the nodes that it makes: into a tree, counted.
//!
//! What a page costs cannot be told from its tags: formatting elements that nobody ended are made anew in every paragraph
//! after them, and a misnested one is made several times (the "reconstruction" and the "adoption agency" of the HTML
//! standard). So the nodes are counted where they are made.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use html5ever::tendril::StrTendril;
use html5ever::tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::{Attribute, QualName};
use scraper::{Html, HtmlTreeSink};

/// Deepest nesting of a page that is read; browsers stop at the same depth.
pub(super) const HTML_DEPTH_MAX: usize = 512;

/// Most nodes of a page that are made.
pub(in crate::source) const HTML_NODES_MAX: usize = 400_000;

/// Most attributes of all elements together: an element that is made anew has those of the first.
const HTML_ATTRIBUTES_MAX: usize = 2 * HTML_NODES_MAX;

/// What a page has too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Excess {
    Elements,
    Depth,
    Attributes,
}

impl Excess {
    /// In words that follow "the page".
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Elements => "makes too many elements",
            Self::Depth => "nests too deep",
            Self::Attributes => "has a tag of too many attributes",
        }
    }
}

/// The tree behind.
type Id = <HtmlTreeSink as TreeSink>::Handle;

/// A node as the parser knows it.
#[derive(Clone, Copy)]
pub(super) struct Handle {
    id: Id,
    /// Its place among the depths.
    place: usize,
    /// Whether it is an element of formulas that holds HTML.
    holds_html: bool,
}

/// The tree that is built, and what it has cost.
pub(super) struct Sink {
    tree: HtmlTreeSink,
    /// How deep each element was put, as far as that is known: what was put into an element that stood nowhere is not.
    depths: RefCell<Vec<Option<usize>>>,
    /// How often elements were put elsewhere with all that they hold: so far off a depth may be.
    moves: Cell<usize>,
    attributes: Cell<usize>,
    excess: Cell<Option<Excess>>,
}

impl Sink {
    pub(super) fn new() -> Self {
        Self {
            tree: HtmlTreeSink::new(Html::new_document()),
            depths: RefCell::new(vec![Some(0)]),
            moves: Cell::new(0),
            attributes: Cell::new(0),
            excess: Cell::new(None),
        }
    }

    /// What there is too much of by now: whoever feeds the parser should stop.
    pub(super) fn excess(&self) -> Option<Excess> {
        self.excess.get()
    }

    fn count(&self) {
        if self.tree.0.borrow().tree.values().len() > HTML_NODES_MAX
            || self.attributes.get() > HTML_ATTRIBUTES_MAX
        {
            self.excess.set(Some(Excess::Elements));
        }
    }

    /// A node that was made.
    fn handle(&self, id: Id, holds_html: bool) -> Handle {
        self.count();
        let mut depths = self.depths.borrow_mut();
        depths.push(None);
        Handle { id, place: depths.len() - 1, holds_html }
    }

    fn depth(&self, node: &Handle) -> Option<usize> {
        let known = self.depths.borrow().get(node.place).copied().flatten();
        if known.is_some_and(|depth| depth + self.moves.get() <= HTML_DEPTH_MAX) {
            return known;
        }
        let depth = self.true_depth(node.id);
        self.note(node, depth);
        depth
    }

    fn note(&self, node: &Handle, depth: Option<usize>) {
        if let Some(known) = self.depths.borrow_mut().get_mut(node.place) {
            *known = depth;
        }
    }

    /// Counts the elements around a node; `None` when it stands nowhere yet.
    fn true_depth(&self, id: Id) -> Option<usize> {
        let html = self.tree.0.borrow();
        let node = html.tree.get(id)?;
        let (depth, outmost) =
            node.ancestors().enumerate().last().map_or((0, node), |(n, node)| (n + 1, node));
        (outmost == html.tree.root()).then_some(depth)
    }

    /// Notes how deep an element is put.
    fn put(&self, node: &Handle, depth: Option<usize>) {
        self.note(node, depth);
        let deep = |depth: usize| depth > HTML_DEPTH_MAX;
        if depth.is_some_and(deep) && self.true_depth(node.id).is_some_and(deep) {
            self.excess.set(Some(Excess::Depth));
        }
    }

    fn has_parent(&self, node: &Handle) -> bool {
        self.tree.0.borrow().tree.get(node.id).is_some_and(|node| node.parent().is_some())
    }
}

/// What is appended, as the tree behind knows it.
fn inner(child: NodeOrText<Handle>) -> NodeOrText<Id> {
    match child {
        NodeOrText::AppendNode(node) => NodeOrText::AppendNode(node.id),
        NodeOrText::AppendText(text) => NodeOrText::AppendText(text),
    }
}

impl TreeSink for Sink {
    type Handle = Handle;
    type Output = Html;
    type ElemName<'a> = <HtmlTreeSink as TreeSink>::ElemName<'a>;

    fn finish(self) -> Html {
        self.tree.finish()
    }

    /// Nobody asks for them, and a page may have millions.
    fn parse_error(&self, _: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Handle { id: self.tree.get_document(), place: 0, holds_html: false }
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> Self::ElemName<'a> {
        self.tree.elem_name(&target.id)
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, flags: ElementFlags) -> Handle {
        self.attributes.set(self.attributes.get() + attributes.len());
        let holds_html = flags.mathml_annotation_xml_integration_point;
        self.handle(self.tree.create_element(name, attributes, flags), holds_html)
    }

    fn create_comment(&self, text: StrTendril) -> Handle {
        self.handle(self.tree.create_comment(text), false)
    }

    fn create_pi(&self, target: StrTendril, data: StrTendril) -> Handle {
        self.handle(self.tree.create_pi(target, data), false)
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        let put = if let NodeOrText::AppendNode(node) = &child { Some(*node) } else { None };
        self.tree.append(&parent.id, inner(child));
        match put {
            Some(node) => self.put(&node, self.depth(parent).map(|depth| depth + 1)),
            None => self.count(),
        }
    }

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        let put = if let NodeOrText::AppendNode(node) = &child { Some(*node) } else { None };
        self.tree.append_before_sibling(&sibling.id, inner(child));
        match put {
            Some(node) => self.put(&node, self.depth(sibling)),
            None => self.count(),
        }
    }

    fn append_based_on_parent_node(&self, element: &Handle, before: &Handle, child: NodeOrText<Handle>) {
        if self.has_parent(element) {
            self.append_before_sibling(element, child);
        } else {
            self.append(before, child);
        }
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        self.tree.append_doctype_to_document(name, public, system);
    }

    fn get_template_contents(&self, target: &Handle) -> Handle {
        Handle { id: self.tree.get_template_contents(&target.id), ..*target }
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        one.id == other.id
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.tree.set_quirks_mode(mode);
    }

    fn add_attrs_if_missing(&self, target: &Handle, attributes: Vec<Attribute>) {
        self.tree.add_attrs_if_missing(&target.id, attributes);
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.moves.set(self.moves.get() + 1);
        self.tree.remove_from_parent(&target.id);
    }

    fn reparent_children(&self, node: &Handle, parent: &Handle) {
        self.moves.set(self.moves.get() + 1);
        self.tree.reparent_children(&node.id, &parent.id);
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &Handle) -> bool {
        target.holds_html
    }
}
