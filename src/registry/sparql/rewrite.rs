//! What is changed in a query before it is evaluated; the answers stay the same.
//!
//! - Functions without bound become ours ([`super::functions`]), `NOW()` the registry's clock.
//! - A query is stopped where the evaluator handles terms ([`crate::projection::rdf::count_down`]). So that no row is
//!   without any, rows that would have none (`{}`, `VALUES () { () }`, a subquery) get a hidden variable. Where rows are
//!   told apart as a whole (`COUNT(DISTINCT *)`), they are first cut down to what the query itself names.
//! - `SERVICE` is refused. The graphs that are named in `GRAPH` are noted.

use std::collections::HashSet;

use oxrdf::{Literal, NamedNode, Variable};
use spargebra::Query;
use spargebra::algebra::{
    AggregateExpression, Expression, Function, GraphPattern, OrderExpression, PropertyPathExpression,
};
use spargebra::term::{GroundTerm, NamedNodePattern};

use super::functions;
use crate::model::{Code, Refusal, Result};

/// The most patterns in a query: triples, steps of paths, groups, alternatives. The optimiser looks at each with each of
/// the others, and cannot be stopped.
const PATTERNS: usize = 200;
/// The most operators and function calls in a query, for the same reason.
const OPERATORS: usize = 2000;

/// Changes queries.
pub struct Rewriter {
    /// What `NOW()` is.
    pub now: Literal,
    /// The graphs that `GRAPH` names.
    pub graphs: Vec<String>,
    /// The variables of the `GRAPH` around what is being changed.
    around: Vec<Variable>,
    hidden: usize,
    patterns: usize,
    operators: usize,
}

impl Rewriter {
    /// A rewriter at an instant.
    pub fn new(now: Literal) -> Self {
        Self { now, graphs: Vec::new(), around: Vec::new(), hidden: 0, patterns: 0, operators: 0 }
    }

    /// Changes a query.
    ///
    /// # Errors
    /// [`Code::ServiceRefused`]; [`Code::TooLarge`] for more patterns or operators than the optimiser can take.
    pub fn query(&mut self, query: Query) -> Result<Query> {
        Ok(match query {
            Query::Select { dataset, pattern, base_iri } => {
                Query::Select { dataset, pattern: self.outermost(pattern)?, base_iri }
            }
            Query::Construct { template, dataset, pattern, base_iri } => {
                Query::Construct { template, dataset, pattern: self.outermost(pattern)?, base_iri }
            }
            Query::Describe { dataset, pattern, base_iri } => {
                Query::Describe { dataset, pattern: self.outermost(pattern)?, base_iri }
            }
            Query::Ask { dataset, pattern, base_iri } => {
                Query::Ask { dataset, pattern: self.outermost(pattern)?, base_iri }
            }
        })
    }

    /// The patterns down to the first projection: their rows are the answer, and nothing may be added to them.
    fn outermost(&mut self, pattern: GraphPattern) -> Result<GraphPattern> {
        Ok(match pattern {
            GraphPattern::Project { inner, variables } => {
                GraphPattern::Project { inner: self.boxed(*inner)?, variables }
            }
            GraphPattern::Distinct { inner } => GraphPattern::Distinct { inner: Box::new(self.outermost(*inner)?) },
            GraphPattern::Reduced { inner } => GraphPattern::Reduced { inner: Box::new(self.outermost(*inner)?) },
            GraphPattern::Slice { inner, start, length } => {
                GraphPattern::Slice { inner: Box::new(self.outermost(*inner)?), start, length }
            }
            other => self.pattern(other)?,
        })
    }

    /// A variable that no query can write.
    fn hidden(&mut self) -> Variable {
        self.hidden += 1;
        Variable::new_unchecked(format!(" {}", self.hidden))
    }

    fn marked(&mut self, inner: GraphPattern, variable: Variable) -> GraphPattern {
        GraphPattern::Extend { inner: Box::new(inner), variable, expression: Expression::Literal(mark()) }
    }

    /// A pattern whose rows hold what the query itself names, and one hidden variable that is the same in all.
    fn cut_down(&mut self, pattern: GraphPattern) -> Result<GraphPattern> {
        let mut variables: Vec<Variable> = Vec::new();
        let mut known = HashSet::new();
        pattern.on_in_scope_variable(|variable| {
            if known.insert(variable.clone()) {
                variables.push(variable.clone());
            }
        });
        // A subquery that does not hand out the variable of its `GRAPH` has another of that name.
        variables.extend(self.around.iter().filter(|v| known.insert((*v).clone())).cloned());
        let (inner, hidden) = (self.pattern(pattern)?, self.hidden());
        variables.push(hidden.clone());
        Ok(GraphPattern::Project { inner: Box::new(self.marked(inner, hidden)), variables })
    }

    fn boxed(&mut self, pattern: GraphPattern) -> Result<Box<GraphPattern>> {
        Ok(Box::new(self.pattern(pattern)?))
    }

    fn pattern(&mut self, pattern: GraphPattern) -> Result<GraphPattern> {
        self.patterns += match &pattern {
            GraphPattern::Bgp { patterns } => patterns.len(),
            GraphPattern::Path { path, .. } => steps(path),
            _ => 1,
        };
        if self.patterns > PATTERNS {
            let (da, en) = (
                format!("forespørgslen har flere end {PATTERNS} mønstre"),
                format!("the query has more than {PATTERNS} patterns"),
            );
            return Err(Refusal::new(Code::TooLarge, da, en).allowed([PATTERNS.to_string()]));
        }
        Ok(match pattern {
            GraphPattern::Bgp { patterns } if patterns.is_empty() => {
                let row = vec![Some(GroundTerm::Literal(mark()))];
                GraphPattern::Values { variables: vec![self.hidden()], bindings: vec![row] }
            }
            GraphPattern::Values { mut variables, mut bindings } => {
                if bindings.iter().any(|row| row.iter().all(Option::is_none)) {
                    variables.push(self.hidden());
                    bindings.iter_mut().for_each(|row| row.push(Some(GroundTerm::Literal(mark()))));
                }
                GraphPattern::Values { variables, bindings }
            }
            GraphPattern::Project { inner, mut variables } => {
                let (inner, hidden) = (self.pattern(*inner)?, self.hidden());
                variables.push(hidden.clone());
                GraphPattern::Project { inner: Box::new(self.marked(inner, hidden)), variables }
            }
            GraphPattern::Graph { name, inner } => {
                if let NamedNodePattern::NamedNode(iri) = &name {
                    self.graphs.push(iri.as_str().to_owned());
                }
                match *inner {
                    // `GRAPH ?g {}` tells the graphs: it must stay empty.
                    GraphPattern::Bgp { patterns } if patterns.is_empty() => {
                        let inner = Box::new(GraphPattern::Bgp { patterns });
                        let hidden = self.hidden();
                        self.marked(GraphPattern::Graph { name, inner }, hidden)
                    }
                    inner => {
                        let variable = match &name {
                            NamedNodePattern::Variable(variable) => Some(variable.clone()),
                            NamedNodePattern::NamedNode(_) => None,
                        };
                        let depth = self.around.len();
                        self.around.extend(variable);
                        let inner = Box::new(self.pattern(inner)?);
                        self.around.truncate(depth);
                        GraphPattern::Graph { name, inner }
                    }
                }
            }
            GraphPattern::Service { .. } => {
                let (da, en) = (
                    "SERVICE hentes ikke: endepunktet spørger ingen andre",
                    "SERVICE is refused: the endpoint asks no others",
                );
                return Err(Refusal::new(Code::ServiceRefused, da, en));
            }
            GraphPattern::Join { left, right } => {
                GraphPattern::Join { left: self.boxed(*left)?, right: self.boxed(*right)? }
            }
            GraphPattern::LeftJoin { left, right, expression } => GraphPattern::LeftJoin {
                left: self.boxed(*left)?,
                right: self.boxed(*right)?,
                expression: expression.map(|e| self.expression(e)).transpose()?,
            },
            GraphPattern::Filter { expr, inner } => {
                GraphPattern::Filter { expr: self.expression(expr)?, inner: self.boxed(*inner)? }
            }
            GraphPattern::Union { left, right } => {
                GraphPattern::Union { left: self.boxed(*left)?, right: self.boxed(*right)? }
            }
            GraphPattern::Extend { inner, variable, expression } => {
                GraphPattern::Extend { inner: self.boxed(*inner)?, variable, expression: self.expression(expression)? }
            }
            GraphPattern::Minus { left, right } => {
                GraphPattern::Minus { left: self.boxed(*left)?, right: self.boxed(*right)? }
            }
            GraphPattern::OrderBy { inner, expression } => {
                let by = expression.into_iter().map(|order| {
                    Ok(match order {
                        OrderExpression::Asc(e) => OrderExpression::Asc(self.expression(e)?),
                        OrderExpression::Desc(e) => OrderExpression::Desc(self.expression(e)?),
                    })
                });
                let expression = by.collect::<Result<_>>()?;
                GraphPattern::OrderBy { inner: self.boxed(*inner)?, expression }
            }
            GraphPattern::Distinct { inner } => GraphPattern::Distinct { inner: self.boxed(*inner)? },
            GraphPattern::Reduced { inner } => GraphPattern::Reduced { inner: self.boxed(*inner)? },
            GraphPattern::Slice { inner, start, length } => {
                GraphPattern::Slice { inner: self.boxed(*inner)?, start, length }
            }
            GraphPattern::Group { inner, variables, aggregates } => {
                let aggregates = aggregates.into_iter().map(|(variable, aggregate)| {
                    Ok(match aggregate {
                        AggregateExpression::FunctionCall { name, expr, distinct } => {
                            let expr = self.expression(expr)?;
                            (variable, AggregateExpression::FunctionCall { name, expr, distinct })
                        }
                        AggregateExpression::CountSolutions { .. } => (variable, aggregate),
                    })
                });
                let aggregates: Vec<_> = aggregates.collect::<Result<_>>()?;
                let whole =
                    |a: &AggregateExpression| matches!(a, AggregateExpression::CountSolutions { distinct: true });
                let inner = if aggregates.iter().any(|(_, a)| whole(a)) {
                    self.cut_down(*inner)?
                } else {
                    self.pattern(*inner)?
                };
                GraphPattern::Group { inner: Box::new(inner), variables, aggregates }
            }
            GraphPattern::Bgp { .. } | GraphPattern::Path { .. } => pattern,
        })
    }

    fn two(&mut self, a: Expression, b: Expression) -> Result<(Box<Expression>, Box<Expression>)> {
        Ok((Box::new(self.expression(a)?), Box::new(self.expression(b)?)))
    }

    fn many(&mut self, list: Vec<Expression>) -> Result<Vec<Expression>> {
        list.into_iter().map(|e| self.expression(e)).collect()
    }

    fn expression(&mut self, expression: Expression) -> Result<Expression> {
        macro_rules! both {
            ($name:ident, $a:ident, $b:ident) => {{
                let (a, b) = self.two(*$a, *$b)?;
                Expression::$name(a, b)
            }};
        }
        let leaf = matches!(
            expression,
            Expression::NamedNode(_) | Expression::Literal(_) | Expression::Variable(_) | Expression::Bound(_)
        );
        self.operators += usize::from(!leaf);
        if self.operators > OPERATORS {
            let (da, en) = (
                format!("forespørgslen har flere end {OPERATORS} operatorer og funktioner"),
                format!("the query has more than {OPERATORS} operators and functions"),
            );
            return Err(Refusal::new(Code::TooLarge, da, en).allowed([OPERATORS.to_string()]));
        }
        Ok(match expression {
            Expression::NamedNode(_) | Expression::Literal(_) | Expression::Variable(_) | Expression::Bound(_) => {
                expression
            }
            Expression::Or(a, b) => both!(Or, a, b),
            Expression::And(a, b) => both!(And, a, b),
            Expression::Equal(a, b) => both!(Equal, a, b),
            Expression::SameTerm(a, b) => both!(SameTerm, a, b),
            Expression::Greater(a, b) => both!(Greater, a, b),
            Expression::GreaterOrEqual(a, b) => both!(GreaterOrEqual, a, b),
            Expression::Less(a, b) => both!(Less, a, b),
            Expression::LessOrEqual(a, b) => both!(LessOrEqual, a, b),
            Expression::Add(a, b) => both!(Add, a, b),
            Expression::Subtract(a, b) => both!(Subtract, a, b),
            Expression::Multiply(a, b) => both!(Multiply, a, b),
            Expression::Divide(a, b) => both!(Divide, a, b),
            Expression::In(a, list) => Expression::In(Box::new(self.expression(*a)?), self.many(list)?),
            Expression::UnaryPlus(a) => Expression::UnaryPlus(Box::new(self.expression(*a)?)),
            Expression::UnaryMinus(a) => Expression::UnaryMinus(Box::new(self.expression(*a)?)),
            Expression::Not(a) => Expression::Not(Box::new(self.expression(*a)?)),
            Expression::Exists(pattern) => Expression::Exists(self.boxed(*pattern)?),
            Expression::If(a, b, c) => {
                let (a, b) = self.two(*a, *b)?;
                Expression::If(a, b, Box::new(self.expression(*c)?))
            }
            Expression::Coalesce(list) => Expression::Coalesce(self.many(list)?),
            Expression::FunctionCall(Function::Now, _) => Expression::Literal(self.now.clone()),
            Expression::FunctionCall(function, given) => {
                let function = match functions::bounded(&function) {
                    Some(name) => Function::Custom(name),
                    None => function,
                };
                Expression::FunctionCall(function, self.many(given)?)
            }
        })
    }
}

/// How many steps and alternatives a path has.
fn steps(path: &PropertyPathExpression) -> usize {
    match path {
        PropertyPathExpression::NamedNode(_) => 1,
        PropertyPathExpression::NegatedPropertySet(list) => list.len(),
        PropertyPathExpression::Sequence(a, b) | PropertyPathExpression::Alternative(a, b) => steps(a) + steps(b),
        PropertyPathExpression::Reverse(a)
        | PropertyPathExpression::ZeroOrMore(a)
        | PropertyPathExpression::OneOrMore(a)
        | PropertyPathExpression::ZeroOrOne(a) => 1 + steps(a),
    }
}

/// What a hidden variable holds.
fn mark() -> Literal {
    Literal::new_typed_literal("", NamedNode::new_unchecked("urn:begreb:mark"))
}
