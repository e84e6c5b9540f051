//! How the server takes memory and gives it back.

use mimalloc::MiMalloc;

/// Thousands of devices that come back at once leave memory behind in which the threads that fold find no room; this
/// gives it back to the system within seconds (docs/decisions/0032-memory.md).
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Has this process live in pages of 4 KiB: one of 2 MiB stays whole as long as a byte of it is used, so that memory swings
/// and a third more of it is held (docs/decisions/0045-small-pages.md). Whether the system agreed.
pub(crate) fn in_small_pages() -> bool {
    #[cfg(target_os = "linux")]
    return rustix::thread::disable_transparent_huge_pages(true).is_ok();
    #[cfg(not(target_os = "linux"))]
    false
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn the_process_lives_in_small_pages() {
        assert!(super::in_small_pages());
        assert!(matches!(
            rustix::thread::transparent_huge_pages_are_disabled(),
            Ok(true)
        ));
    }
}
