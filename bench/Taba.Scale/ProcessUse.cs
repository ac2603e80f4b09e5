using System.Globalization;

namespace Taba.Scale;

/// <summary>What a process took, as the kernel counts it.</summary>
/// <param name="Cpu">Processor time since it began, that of its ended children included.</param>
/// <param name="Resident">Bytes in memory now.</param>
/// <param name="PeakResident">The most there were.</param>
readonly record struct ProcessUse(TimeSpan Cpu, long Resident, long PeakResident)
{
    const double TicksPerSecond = 100;
    const int FieldsBeforeState = 2;

    public static ProcessUse Of(int processId)
    {
        var fields = Stat(processId);
        var status = File.ReadAllLines($"/proc/{processId}/status");
        // utime, stime, cutime and cstime.
        var ticks = Enumerable.Range(13, 4).Sum(i => long.Parse(fields[i - FieldsBeforeState], CultureInfo.InvariantCulture));
        return new(TimeSpan.FromSeconds(ticks / TicksPerSecond), Kilobytes("VmRSS:"), Kilobytes("VmHWM:"));

        long Kilobytes(string name) => status.FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal)) is { } line
            ? long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2].Split('\t')[^1], CultureInfo.InvariantCulture) * 1024
            : 0;
    }

    /// <summary>Processor time of a process and its children together, for a server that forks.</summary>
    public static TimeSpan CpuOfFamily(int processId) => ProcessIds()
        .Where(id => id == processId || Parent(id) == processId)
        .Aggregate(TimeSpan.Zero, (sum, id) => sum + CpuOf(id));

    /// <summary>The process whose command line holds a text; null when there is none.</summary>
    public static int? Find(string inCommandLine) =>
        ProcessIds().Select(id => (int?)id).FirstOrDefault(id => CommandLine(id!.Value).Contains(inCommandLine, StringComparison.Ordinal));

    /// <summary>Idle processor time of the machine since it started, over all cores.</summary>
    public static TimeSpan MachineIdle() =>
        TimeSpan.FromSeconds(
            long.Parse(File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[
                4], CultureInfo.InvariantCulture) / TicksPerSecond);

    static IEnumerable<int> ProcessIds() =>
        Directory.EnumerateDirectories("/proc").Select(
            d => int.TryParse(Path.GetFileName(d), CultureInfo.InvariantCulture, out var id) ? id : -1).Where(id => id > 0);

    static string[] Stat(int processId)
    {
        var stat = File.ReadAllText($"/proc/{processId}/stat");
        // The name in brackets may hold anything.
        return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
    }

    static int Parent(int processId) => Try(() => int.Parse(Stat(processId)[1], CultureInfo.InvariantCulture), 0);

    static TimeSpan CpuOf(int processId) => Try(() => Of(processId).Cpu, TimeSpan.Zero);

    static string CommandLine(int processId) => Try(() => File.ReadAllText($"/proc/{processId}/cmdline").Replace('\0', ' '), "");

    static T Try<T>(Func<T> read, T otherwise)
    {
        try
        {
            return read();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It ended meanwhile.
            return otherwise;
        }
    }
}
