using Taba.Storage.RunFolders;
using Taba.Grains.Sweeps;
using Taba.Silo.Outputs;

namespace Taba.Client.Planning;

/// <summary>Reads what run folders hold already.</summary>
static class WrittenRuns
{
    /// <summary>A sentence when a folder holds a run of other stage keys, or cannot be read; else null.</summary>
    public static string? Conflict(SweepPlan plan, PlannedRun run, OutputFolder folder)
    {
        try
        {
            return RunFolderCheck.Conflict(plan, run, folder);
        }
        catch (InvalidDataException exception)
        {
            return exception.Message;
        }
    }

    /// <summary>True when a folder holds all of a run, in its format and from the same stages.</summary>
    public static bool IsWritten(SweepPlan plan, PlannedRun run, OutputFolder folder, TensorFormat format)
    {
        try
        {
            return RunFolder.Read(folder) is { } written && written.Holds(plan, run, folder, format);
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }
}
