//! Which of a concept's contents speaks for it at a point of the two times.

use std::sync::Arc;

use uuid::Uuid;

use super::Leaf;
use crate::model::Point;
use crate::projection::plane::Plane;
use crate::projection::said::Saying;

/// How a concept stands at a point.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Standing {
    /// It is in force.
    InForce,
    /// It comes into force later.
    Future,
    /// It was in force before.
    Retired,
}

impl Standing {
    /// All, in their order.
    pub const ALL: [Self; 3] = [Self::InForce, Self::Future, Self::Retired];
}

/// Which contents speak for their concepts at a point, and how those stand.
pub struct Moment(Box<[Option<Standing>]>);

impl Moment {
    /// Reads the planes at a point.
    pub fn new(leaves: &[Leaf], planes: &[Arc<Plane>], at: Point) -> Self {
        let standing = |leaf: &Leaf| {
            let (saying, standing) = stands_for(&planes[leaf.brief.vocabulary as usize], leaf.concept, at)?;
            (super::short(saying.state.content().digest) == leaf.content).then_some(standing)
        };
        Self(leaves.iter().map(standing).collect())
    }

    /// How many contents it knows of.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// How the concept of a content stands, if that content speaks for it.
    pub fn standing(&self, number: u32) -> Option<Standing> {
        self.0[number as usize]
    }
}

/// What speaks for a concept at a point: the state that covers it, else the nearest as known there.
pub fn stands_for(plane: &Plane, concept: Uuid, at: Point) -> Option<(&Arc<Saying>, Standing)> {
    let covering = plane.sayings(concept).iter().find(|s| s.state.covers(at));
    match covering {
        Some(saying) => Some((saying, Standing::InForce)),
        None => plane.nearest(concept, at).map(|saying| {
            let later = saying.state.valid().from() > at.valid;
            (saying, if later { Standing::Future } else { Standing::Retired })
        }),
    }
}
