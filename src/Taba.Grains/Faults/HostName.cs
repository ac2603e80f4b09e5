namespace Taba.Grains.Faults;

/// <summary>What a host is called, however often its process starts.</summary>
static class HostName
{
    /// <summary>The name that a silo gives itself, else its address without the generation that each start of it has.</summary>
    /// <param name="worker">A silo's address.</param>
    public static string Of(string worker, string? name = null) =>
        name ?? (worker.LastIndexOf('@') is > 0 and var end ? worker[..end] : worker);
}
