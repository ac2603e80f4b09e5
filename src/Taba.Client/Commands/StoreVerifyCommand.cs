using System.CommandLine;
using System.Text.Json;
using Taba.Storage.Manifests;

namespace Taba.Client.Commands;

/// <summary><c>taba store verify</c> and <c>taba store repair</c></summary>
static class StoreVerifyCommand
{
    public static Command Create(CommandServices services, bool repair)
    {
        var flags = new StoreFlags();
        var stageKey = Flags.Of<string?>("stage", "The key of one stage, or its beginning; left out, all of them.");
        var command = repair
            ? new Command(
                "repair", "Reads everything and makes void what is damaged: the next run that needs those rows computes them again.")
            : new Command("verify", "Reads everything that is published and checks its digests. Changes nothing.");
        flags.AddTo(command);
        command.Options.Add(stageKey);
        command.SetAction((parsed, interrupted) => flags.WithAsync(parsed, services, async target =>
        {
            var store = target.Store(mends: repair);
            var keys = await store.StageKeysAsync(interrupted).ToListAsync(interrupted);
            var key = parsed.GetValue(stageKey) is { } given ? StoredStages.KeyOf(given, keys, target.Place) : null;
            var json = flags.Json(parsed);
            var found = 0;
            store.Damaged += (where, fault) => Print($"the cell {where} cannot be read: {fault}", null, null);
            await foreach (var damage in store.VerifyAsync(key, repair, interrupted))
                Print(damage.Message, damage.StageKey, damage.Rows);
            var doubtful = 0;
            await foreach (var (stage, what) in store.DisagreementsAsync(key, interrupted))
            {
                doubtful++;
                services.Terminal.Output.WriteLine(json
                    ? JsonSerializer.Serialize(new
                    {
                        disagreement = what.Text(stage),
                        stage,
                        row_start = what.RowStart,
                        row_end = what.RowEnd,
                        tensors = what.Names,
                        published = By(what.Published),
                        other = By(what.Other),
                        found_at = what.FoundAt,
                    })
                    : what.Text(stage));
            }
            if (!json && doubtful > 0)
                services.Terminal.Output.WriteLine(
                    $"{doubtful} doubtful: which of two results is wrong cannot be known here; 'taba store prune' removes their stages");
            if (!json)
                services.Terminal.Output.WriteLine((key is null ? keys.Count : 1) switch
                {
                    var read when found == 0 => $"{read} stages read, nothing is damaged",
                    var read => $"{read} stages read, {found} damaged: "
                        + (repair
                            ? "made void, the next run that needs the rows computes them again"
                            : "'taba store repair' makes them void"),
                });
            return (found == 0 || repair) && doubtful == 0 ? ExitStatus.Done : ExitStatus.SamplesFailed;

            static object By(Maker maker) => new
            {
                silo = maker.Silo, host = maker.Host, device = maker.Device, build = maker.Build, attempt = maker.Attempt,
            };

            void Print(string what, string? stage, RowRange? rows)
            {
                found++;
                services.Terminal.Output.WriteLine(json
                    ? JsonSerializer.Serialize(new
                    {
                        damage = what,
                        stage,
                        row_start = rows?.Start,
                        row_end = rows?.End,
                        repaired = repair,
                    })
                    : what);
            }
        }, interrupted));
        return repair
            ? command.WithExamples("taba store repair", "taba store repair --cluster lab")
            : command.WithExamples("taba store verify", "taba store verify --out results --json", "taba store verify --cluster lab");
    }
}
