//! As much of Vectorscan's interface as a scan for literals needs; see hs_compile.h and hs_runtime.h.

use std::ffi::{CStr, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::ptr;

/// The text is scanned as a whole, not as a stream.
const HS_MODE_BLOCK: c_uint = 1;

#[repr(C)]
struct CompileError {
    message: *mut c_char,
    expression: c_int,
}

type OnHit = unsafe extern "C" fn(c_uint, c_ulonglong, c_ulonglong, c_uint, *mut c_void) -> c_int;

#[link(name = "hs")]
unsafe extern "C" {
    fn hs_version() -> *const c_char;
    fn hs_compile_lit_multi(
        expressions: *const *const c_char,
        flags: *const c_uint,
        ids: *const c_uint,
        lens: *const usize,
        elements: c_uint,
        mode: c_uint,
        platform: *const c_void,
        database: *mut *mut c_void,
        error: *mut *mut CompileError,
    ) -> c_int;
    fn hs_alloc_scratch(database: *const c_void, scratch: *mut *mut c_void) -> c_int;
    fn hs_scan(
        database: *const c_void,
        text: *const c_char,
        length: c_uint,
        flags: c_uint,
        scratch: *mut c_void,
        on_hit: OnHit,
        context: *mut c_void,
    ) -> c_int;
    fn hs_free_scratch(scratch: *mut c_void) -> c_int;
    fn hs_free_database(database: *mut c_void) -> c_int;
}

/// The version of the library.
pub(crate) fn version() -> String {
    // SAFETY: it returns a constant string.
    unsafe { CStr::from_ptr(hs_version()) }.to_string_lossy().into_owned()
}

/// Literals, compiled.
pub(crate) struct Literals {
    database: *mut c_void,
    scratch: *mut c_void,
}

impl Literals {
    /// Compiles literals; no flags, so that every hit is reported. A hit names the place of its literal.
    pub(crate) fn new(literals: &[String]) -> Result<Self, String> {
        let count = c_uint::try_from(literals.len()).map_err(|error| error.to_string())?;
        let starts: Vec<*const c_char> = literals.iter().map(|literal| literal.as_ptr().cast()).collect();
        let lens: Vec<usize> = literals.iter().map(String::len).collect();
        let flags = vec![0; literals.len()];
        let ids: Vec<c_uint> = (0..count).collect();
        let (mut database, mut scratch) = (ptr::null_mut(), ptr::null_mut());
        let mut error: *mut CompileError = ptr::null_mut();
        // SAFETY: the four arrays have `count` elements and outlive the call, the rest are places to write to.
        let status = unsafe {
            hs_compile_lit_multi(
                starts.as_ptr(),
                flags.as_ptr(),
                ids.as_ptr(),
                lens.as_ptr(),
                count,
                HS_MODE_BLOCK,
                ptr::null(),
                &raw mut database,
                &raw mut error,
            )
        };
        if status != 0 {
            // SAFETY: on failure the library has set the error and its message.
            let message = unsafe { error.as_ref().map(|error| CStr::from_ptr(error.message)) };
            return Err(message.unwrap_or_default().to_string_lossy().into_owned());
        }
        // SAFETY: the database has just been made.
        match unsafe { hs_alloc_scratch(database, &raw mut scratch) } {
            0 => Ok(Self { database, scratch }),
            status => Err(format!("no scratch space: {status}")),
        }
    }

    /// Calls `each` with the place of the literal and the end of every hit.
    pub(crate) fn scan(&self, text: &str, mut each: impl FnMut(usize, usize)) {
        unsafe extern "C" fn hit<F: FnMut(usize, usize)>(
            id: c_uint,
            _start: c_ulonglong,
            end: c_ulonglong,
            _flags: c_uint,
            each: *mut c_void,
        ) -> c_int {
            // SAFETY: `scan` hands over a closure of this very type, and nobody else holds it meanwhile.
            let each = unsafe { &mut *each.cast::<F>() };
            each(id as usize, end as usize);
            0
        }
        fn of<F: FnMut(usize, usize)>(_: &F) -> OnHit {
            hit::<F>
        }
        let length = c_uint::try_from(text.len()).expect("an article is short");
        let on_hit = of(&each);
        // SAFETY: database and scratch are valid until drop, and `each` outlives the call.
        let status = unsafe {
            hs_scan(
                self.database,
                text.as_ptr().cast(),
                length,
                0,
                self.scratch,
                on_hit,
                (&raw mut each).cast(),
            )
        };
        assert_eq!(status, 0, "the scan failed");
    }
}

impl Drop for Literals {
    fn drop(&mut self) {
        // SAFETY: both were made by the library and are freed once.
        unsafe {
            hs_free_scratch(self.scratch);
            hs_free_database(self.database);
        }
    }
}
