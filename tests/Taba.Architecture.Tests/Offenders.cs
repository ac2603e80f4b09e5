namespace Taba.Architecture.Tests;

static class Offenders
{
    /// <summary>Names every file or folder that breaks a rule, not only the first.</summary>
    public static void None(IEnumerable<string> offenders)
    {
        var all = offenders.ToList();
        Assert.True(all.Count == 0, $"{all.Count} break the rule:\n{string.Join('\n', all)}");
    }
}
