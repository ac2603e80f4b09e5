namespace Taba.Cluster.Tests;

/// <summary>Servers that a test cannot do without.</summary>
static class Required
{
    /// <summary>Skips the test where one is missing.</summary>
    public static void Here(params string?[] missing)
    {
        if (missing.FirstOrDefault(m => m is not null) is { } first)
            Assert.Skip(first);
    }
}
