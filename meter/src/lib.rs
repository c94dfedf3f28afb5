//! A global allocator that counts: what a thread has taken and not given back since it began to count.
//!
//! Allocation itself is mimalloc's. Counting is per thread and off until [`start`]; while it is off, it costs one
//! look at a thread-local number for each allocation. The allocator never refuses and never unwinds, which it must
//! not: it raises a flag, and the thread asks for it ([`is_over`]) where it can stop.
//!
//! Installed by a program (the command line, tests), never by the library:
//!
//! ```
//! #[global_allocator]
//! static METER: begreb_meter::Meter = begreb_meter::Meter;
//!
//! begreb_meter::start(1 << 20);
//! let large = vec![1_u8; 2 << 20];
//! assert!(begreb_meter::is_over());
//! assert!(begreb_meter::held() >= 2 << 20);
//! drop(large);
//! begreb_meter::stop();
//! assert!(!begreb_meter::is_over());
//! ```

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;

use mimalloc::MiMalloc;

/// The limit of a thread that does not count.
const OFF: isize = isize::MAX;

// Constants without destructors: reading them never allocates and works until the thread is gone.
thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static LIMIT: Cell<isize> = const { Cell::new(OFF) };
    static OVER: Cell<bool> = const { Cell::new(false) };
}

/// The allocator.
pub struct Meter;

/// Begins to count what this thread takes, from nothing; above `limit` bytes it [is over](is_over).
pub fn start(limit: usize) {
    HELD.set(0);
    OVER.set(false);
    LIMIT.set(isize::try_from(limit).unwrap_or(OFF - 1).min(OFF - 1));
}

/// Ends the count; it stands at nothing.
pub fn stop() {
    LIMIT.set(OFF);
    HELD.set(0);
    OVER.set(false);
}

/// How many bytes this thread has taken and not given back since [`start`]. What another thread gave back for it
/// still counts; what it gave back for another thread counts against.
#[must_use]
pub fn held() -> usize {
    HELD.get().max(0).cast_unsigned()
}

/// Whether the thread has held more than its limit at some time since [`start`].
#[inline]
#[must_use]
pub fn is_over() -> bool {
    OVER.get()
}

#[inline]
fn count(bytes: isize) {
    let limit = LIMIT.get();
    if limit != OFF {
        let held = HELD.get().saturating_add(bytes);
        HELD.set(held);
        if held > limit {
            OVER.set(true);
        }
    }
}

#[inline]
fn size(layout: Layout) -> isize {
    // A layout is at most isize::MAX.
    layout.size().cast_signed()
}

// SAFETY: every call is handed to mimalloc unchanged and its answer handed back unchanged, so what the trait demands
// holds because it holds for mimalloc. What is done beside touches thread-local numbers only: it neither allocates
// nor unwinds.
unsafe impl GlobalAlloc for Meter {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(size(layout));
        // SAFETY: the caller keeps to the contract of `alloc`, which is mimalloc's.
        unsafe { MiMalloc.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(size(layout));
        // SAFETY: the caller keeps to the contract of `alloc_zeroed`, which is mimalloc's.
        unsafe { MiMalloc.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-size(layout));
        // SAFETY: `pointer` came from this allocator, and so from mimalloc, with this layout.
        unsafe { MiMalloc.dealloc(pointer, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size.cast_signed().saturating_sub(size(layout)));
        // SAFETY: `pointer` came from mimalloc with this layout, and the caller keeps to the contract of `realloc`.
        unsafe { MiMalloc.realloc(pointer, layout, new_size) }
    }
}
