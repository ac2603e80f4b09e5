namespace Taba.Fuzz;

/// <summary>Four prompts as Python's pickle writes them, in each of its protocols.</summary>
static class Pickles
{
    static readonly string[] s_lists =
    [
        "KGxwMApWYSBob2JiaXQgc3RhbmRpbmcgbmV4dCB0byBpdHMgaG91c2UKcDEKYVb8IFx1NjU3MFx1NjM2ZSBcVTAwMDFmNjAw"
        + "CnAyCmFWCnAzCmFWeHh4eHgKcDQKYS4=",
        "XXEAKFgjAAAAYSBob2JiaXQgc3RhbmRpbmcgbmV4dCB0byBpdHMgaG91c2VxAVgOAAAAw7wg5pWw5o2uIPCfmIBxAlgAAAAA"
        + "cQNYBQAAAHh4eHh4cQRlLg==",
        "gAJdcQAoWCMAAABhIGhvYmJpdCBzdGFuZGluZyBuZXh0IHRvIGl0cyBob3VzZXEBWA4AAADDvCDmlbDmja4g8J+YgHECWAAA"
        + "AABxA1gFAAAAeHh4eHhxBGUu",
        "gANdcQAoWCMAAABhIGhvYmJpdCBzdGFuZGluZyBuZXh0IHRvIGl0cyBob3VzZXEBWA4AAADDvCDmlbDmja4g8J+YgHECWAAA"
        + "AABxA1gFAAAAeHh4eHhxBGUu",
        "gASVRwAAAAAAAABdlCiMI2EgaG9iYml0IHN0YW5kaW5nIG5leHQgdG8gaXRzIGhvdXNllIwOw7wg5pWw5o2uIPCfmICUjACU"
        + "jAV4eHh4eJRlLg==",
        "gAWVRwAAAAAAAABdlCiMI2EgaG9iYml0IHN0YW5kaW5nIG5leHQgdG8gaXRzIGhvdXNllIwOw7wg5pWw5o2uIPCfmICUjACU"
        + "jAV4eHh4eJRlLg==",
    ];

    public static IEnumerable<byte[]> Lists => s_lists.Select(Convert.FromBase64String);
}
