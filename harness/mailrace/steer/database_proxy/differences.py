"""What is different for a server on the proxy, and on its own SQLite: a sentence each, for the documentation.

On everything else the two mean the same: a test puts the same requests to both.
"""

DIFFERENCES = (
    "A statement that is held over 10 s fails in the client and would be stored later; none is held over "
    "5 s, and one whose client has gone is dropped.",
    "Numbers pass as 64-bit floats: a tag whose ID is 1,000,000 or more cannot be read.",
    "Deleting everything runs three statements more natively (checkpoint, VACUUM, checkpoint).",
    "SQLITE_BUSY cannot happen: there is one connection behind the proxy.",
    "Begin and Commit send nothing, so a failed transaction is not rolled back, and with several instances "
    "transactions are not atomic. On one instance its only connection is still held from Begin to Commit.",
    "A binding with too few arguments is an error on both, in other words (`not enough args to execute "
    "query` for `missing argument with index`); 1.17.x to 1.27.x log only that there were statement errors.",
    "A statement takes 0.3 ms or more instead of some 30 µs. Holding one for over 1 ms puts a Go mutex into "
    "its starvation mode, which changes who gets the mutex next.",
)
